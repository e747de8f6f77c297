internal import Dockerfile
internal import Engine
internal import Failure
internal import LinuxSystem
internal import OCI

extension StageBuild {
    func run(_ run: RunInstruction, _ instruction: Instruction) throws(Failure) {
        var mounts: [RunMount] = []
        let expansion = Expansion(escape: session.document.escape, variables: variables)
        for text in run.mounts {
            do throws(DockerfileError) {
                mounts.append(
                    try RunMount.parse(text) { (word) throws(DockerfileError) in
                        try expansion.word(word).value
                    })
            } catch {
                throw located(error, at: instruction.range)
            }
        }
        for mount in mounts { try session.sources.await(mount.from, for: self) }
        let command = RunCommand(run.command, shell: shell)
        let network: StepRequest.Network =
            switch run.network {
            case .none: .none
            case .host: .host
            case .default: session.request.network
            }
        let secrets = try session.sources.environment(of: mounts)
        try layer(
            instruction.text, history: history(command, mounts: run.mounts),
            inputs: { (_) throws(Failure) in
                var inputs = baseInputs(command.canonical)
                for entry in state.settings.env ?? [] {
                    let (name, value) = entry.splitAtEquals
                    inputs.add("env \(name)", value)
                }
                for argument in visibleArguments where !BuildArguments.proxies.contains(argument.name) {
                    inputs.add("arg \(argument.name)", argument.value)
                }
                inputs.add("user", state.settings.user ?? "")
                inputs.add("directory", state.settings.workingDir ?? "/")
                inputs.add("network", network == .none ? "none" : "host")
                for (index, mount) in mounts.enumerated() {
                    inputs.add("mount \(run.mounts[index])", try key(of: mount))
                }
                return inputs
            },
            make: { (number) throws(Failure) in
                try execute(command, mounts, network, secrets: secrets, number)
            })
    }

    /// ARGs with values that no ENV hides.
    private var visibleArguments: [(name: String, value: String)] {
        let hidden = Set((state.settings.env ?? []).map { $0.splitAtEquals.name })
        return arguments.compactMap { argument in
            guard let value = argument.value, !hidden.contains(argument.name) else { return nil }
            return (argument.name, value)
        }
    }

    private func environment(secrets: [(name: String, value: String)]) -> [String] {
        let proxies = session.buildArguments.givenProxies.filter { proxy in
            !arguments.contains { $0.name == proxy.name }
        }
        return proxies.map { "\($0.name)=\($0.value)" } + visibleArguments.map { "\($0.name)=\($0.value)" }
            + (state.settings.env ?? []) + secrets.map { "\($0.name)=\($0.value)" }
    }

    /// docker's way to write what ran: `RUN |2 A=1 B=2 /bin/sh -c make # buildkit`, here without the last word.
    private func history(_ command: RunCommand, mounts: [String]) -> String {
        let known = visibleArguments.filter { !BuildArguments.proxies.contains($0.name) }
        let prefix =
            known.isEmpty
            ? "" : "|\(known.count) \(known.map { "\($0.name)=\($0.value)" }.joined(separator: " ")) "
        return "RUN \(prefix)\(command.arguments.joined(separator: " "))"
    }

    private func execute(
        _ command: RunCommand, _ mounts: [RunMount], _ network: StepRequest.Network,
        secrets: [(name: String, value: String)], _ number: Int
    ) throws(Failure) -> BuiltLayer {
        var layer = try StepLayer(on: state.chain, session)
        let scratch = try session.work.directory("files")
        var request = StepRequest(
            id: randomHex(bytes: 32), arguments: command.arguments, filesDirectory: scratch.path)
        request.environment = environment(secrets: secrets)
        request.workingDirectory = state.settings.workingDir ?? "/"
        request.user = state.settings.user ?? ""
        request.network = network
        request.extraHosts = session.request.extraHosts
        request.shmSize = session.request.shmSize
        request.ulimits = session.request.ulimits
        let prepared = try StepMounts(mounts, for: self, step: number)
        request.mounts = prepared.mounts
        if let agent = prepared.agentTarget,
            !request.environment.contains(where: { $0.hasPrefix("SSH_AUTH_SOCK=") })
        {
            request.environment.append("SSH_AUTH_SOCK=\(agent)")
        }
        var targets = request.targets + prepared.targets
        if let script = command.script {
            let path = try writeScript(script)
            request.mounts.append(
                RuntimeSpec.Mount(
                    destination: RunCommand.scriptPath, type: "bind", source: path,
                    options: ["bind", "rprivate", "ro"]))
            targets.append((RunCommand.scriptPath, false))
        }
        targets.append((request.workingDirectory, true))
        try layer.prepare(targets)
        let code = try runCommand(request, layer, number)
        withExtendedLifetime(prepared) {}
        guard code == 0 else {
            try session.check()
            throw Failure(
                .invalidArgument,
                "process \"\(command.arguments.joined(separator: " "))\" did not complete successfully: exit code: \(code)",
                hint: code == 137 ? "it was killed: perhaps the host has no memory left" : nil)
        }
        return try layer.finish()
    }

    private func writeScript(_ text: String) throws(Failure) -> String {
        let scratch = try session.work.directory("script")
        return try during("write the script of a RUN") { () throws(SystemError) in
            let file = try FileDescriptor.open(
                "script", in: scratch.descriptor.raw, [.writeOnly, .create, .exclusive, .noFollow])
            try file.write(text)
            try file.changeMode(0o755)
            return "\(scratch.path)/script"
        }
    }

    /// Answers the exit code; what the command wrote has been told by then.
    private func runCommand(
        _ request: StepRequest, _ layer: StepLayer, _ number: Int
    ) throws(Failure) -> Int32 {
        let running: RunningStep
        let output: SharedFileDescriptor
        do {
            let root = try layer.mount()
            let pipe = try during("make a pipe") { () throws(SystemError) in try FileDescriptor.pipe() }
            running = try session.engine.startStep(request, root: root.descriptor, output: pipe.second.raw)
            output = try during("make a pipe") { () throws(SystemError) in
                SharedFileDescriptor(try pipe.first.duplicate())
            }
        }
        session.hold(running)
        defer { session.letGo(running) }
        relay(output, number)
        do throws(Failure) {
            return try running.wait()
        } catch {
            // Not this command's fault where the whole build ends.
            try session.check()
            guard error.code == .interrupted else { throw error }
            throw Failure(.internal, "the monitor of this step was killed")
        }
    }

    /// Until the last process that can write has ended.
    private func relay(_ output: SharedFileDescriptor, _ number: Int) {
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 << 10, alignment: 16)
        defer { room.deallocate() }
        while true {
            let got = try? FileDescriptor.withBorrowed(output.raw) { (file) throws(SystemError) in
                try file.read(into: room)
            }
            guard let got, got > 0 else { return }
            session.progress.wrote(number, Array(UnsafeRawBufferPointer(rebasing: room[..<got])))
        }
    }
}

/// What a RUN executes.
struct RunCommand: Sendable {
    /// Where a heredoc with `#!` is found by the step.
    static let scriptPath = "/dev/pipes/EOF"

    let arguments: [String]
    /// A heredoc that is a program of its own.
    let script: String?
    /// The same for all ways to write the same.
    let canonical: String

    init(_ command: CommandLine, shell: [String]) {
        switch command.form {
        case .exec(let words):
            arguments = words
            script = nil
            canonical = "RUN \(words.map(\.debugDescription).joined(separator: " "))"
        case .shell(let line):
            if let text = command.script?.content, text.hasPrefix("#!") {
                arguments = [RunCommand.scriptPath]
                script = text
                canonical = "RUN #! \(text.debugDescription)"
                return
            }
            arguments = shell + [command.script?.content ?? line]
            script = nil
            canonical = "RUN \(arguments.map(\.debugDescription).joined(separator: " "))"
        }
    }
}
