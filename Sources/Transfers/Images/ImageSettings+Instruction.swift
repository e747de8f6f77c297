internal import CommandTable
package import Dockerfile
package import Failure
package import OCI

extension ImageConfig.Settings {
    /// What an instruction without files does to an image's settings; its variables are put in already.
    ///
    /// - Parameters:
    ///   - shell: what the shell form of CMD and ENTRYPOINT runs in.
    ///   - hasOwnCommand: whether this build has set CMD; an ENTRYPOINT takes away one that the base brought.
    /// - Throws: `invalidArgument`; `unsupported` for an instruction that is more than settings.
    package mutating func apply(
        _ instruction: Instruction, shell: [String], hasOwnCommand: inout Bool
    ) throws(Failure) {
        switch instruction.kind {
        case .cmd(let command):
            cmd = command.arguments(shell)
            hasOwnCommand = true
        case .entrypoint(let command):
            entrypoint = command.arguments(shell)
            if !hasOwnCommand { cmd = nil }
        case .env(let assignments):
            for assignment in assignments { set(assignment.name, assignment.value) }
        case .label(let assignments):
            for assignment in assignments {
                labels = (labels ?? [:]).setting(assignment.name, assignment.value)
            }
        case .expose(let words):
            var ports = Set(exposedPorts ?? [])
            for word in words { ports.formUnion(try ImageConfig.Settings.ports(word)) }
            exposedPorts = ports.sorted()
        case .volume(let paths): volumes = Set(volumes ?? []).union(paths).sorted()
        case .user(let name): user = name
        case .workdir(let path): workingDir = ImageConfig.Settings.directory(path, from: workingDir)
        case .stopsignal(let signal):
            _ = try SignalName.parse(signal)
            stopSignal = signal
        case .shell(let words): self.shell = words
        case .healthcheck(let check): healthcheck = ImageConfig.Healthcheck(check)
        case .onbuild(let text, _): onBuild = (onBuild ?? []) + [text]
        case .maintainer, .arg, .run, .copy, .add:
            throw Failure(.unsupported, "\(instruction.writtenKeyword) changes no settings of an image")
        }
    }

    package mutating func set(_ name: String, _ value: String) {
        var variables = env ?? []
        if let place = variables.firstIndex(where: { $0.hasPrefix("\(name)=") }) {
            variables[place] = "\(name)=\(value)"
        } else {
            variables.append("\(name)=\(value)")
        }
        env = variables
    }

    /// WORKDIR's path, absolute and without `.`, `..` and double slashes.
    package static func directory(_ path: String, from base: String?) -> String {
        let whole = path.hasPrefix("/") ? path : "\(base ?? "/")/\(path)"
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// `80`, `53/udp`, `8000-8003/tcp`.
    private static func ports(_ word: String) throws(Failure) -> [String] {
        let parts = word.split(separator: "/", omittingEmptySubsequences: false)
        let ends = parts[0].split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
        let transport = parts.count == 2 ? parts[1].lowercased() : "tcp"
        guard parts.count <= 2, ["tcp", "udp", "sctp"].contains(transport), (1...2).contains(ends.count),
            let first = ends[0], let last = ends[ends.count - 1], first > 0, first <= last
        else {
            throw Failure(
                .invalidArgument, "\"\(word)\" is not a port", hint: "write 80, 53/udp or 8000-8010/tcp")
        }
        return (first...last).map { "\($0)/\(transport)" }
    }
}

extension CommandLine {
    /// argv; the shell form is a line for the shell.
    package func arguments(_ shell: [String]) -> [String] {
        switch form {
        case .exec(let words): words
        case .shell(let line): shell + [line]
        }
    }
}

extension ImageConfig.Healthcheck {
    init(_ check: HealthcheckInstruction) {
        guard let command = check.command else {
            self.init(test: ["NONE"])
            return
        }
        switch command.form {
        case .exec(let words): self.init(test: ["CMD"] + words)
        // Run by the shell of the image's own configuration, as docker does it.
        case .shell(let line): self.init(test: ["CMD-SHELL", line])
        }
        interval = check.interval
        timeout = check.timeout
        startPeriod = check.startPeriod
        startInterval = check.startInterval
        retries = check.retries
    }
}

extension Dictionary {
    fileprivate func setting(_ key: Key, _ value: Value) -> Self { merging([key: value]) { _, new in new } }
}
