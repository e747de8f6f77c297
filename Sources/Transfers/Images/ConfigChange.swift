package import Engine
internal import Failure
internal import OCI

/// The instructions of a Dockerfile that change an image's settings alone, as `import --change` takes them.
enum ConfigChange {
    /// - Throws: `invalidArgument` naming the instruction.
    static func apply(_ line: String, to settings: inout ImageConfig.Settings) throws(Failure) {
        let line = line.trimmed
        let word = line.prefix { !$0.isWhitespace }
        let rest = line.dropFirst(word.count).trimmed
        do throws(Failure) {
            try apply(word.uppercased(), rest, to: &settings)
        } catch {
            throw error.within("--change \"\(line)\"")
        }
    }

    private static func apply(_ instruction: String, _ rest: String, to settings: inout ImageConfig.Settings)
        throws(Failure)
    {
        let known: Set = [
            "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "LABEL", "USER", "VOLUME", "WORKDIR", "STOPSIGNAL",
            "ONBUILD",
            "HEALTHCHECK",
        ]
        guard known.contains(instruction) else {
            throw Failure(
                .invalidArgument,
                "\(instruction.isEmpty ? "an empty text" : instruction) is not a valid change",
                hint:
                    "CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR are"
            )
        }
        guard !rest.isEmpty else { throw Failure(.invalidArgument, "\(instruction) needs a value") }
        switch instruction {
        case "CMD": settings.cmd = try command(rest)
        case "ENTRYPOINT": settings.entrypoint = try command(rest)
        case "ENV":
            var variables = settings.env ?? []
            for (name, value) in try pairs(rest) {
                variables.removeAll { $0.hasPrefix("\(name)=") }
                variables.append("\(name)=\(value)")
            }
            settings.env = variables
        case "LABEL":
            var labels = settings.labels ?? [:]
            for (name, value) in try pairs(rest) { labels[name] = value }
            settings.labels = labels
        case "EXPOSE":
            var ports = settings.exposedPorts ?? []
            for word in try words(rest) {
                for port in try exposed(word) where !ports.contains(port) { ports.append(port) }
            }
            settings.exposedPorts = ports.sorted()
        case "VOLUME":
            var volumes = settings.volumes ?? []
            let paths: [String]
            if let listed = try list(rest) { paths = listed } else { paths = try words(rest) }
            for path in paths where !volumes.contains(path) { volumes.append(path) }
            settings.volumes = volumes.sorted()
        case "USER": settings.user = rest
        case "WORKDIR":
            let path = try words(rest).joined(separator: " ")
            let base = settings.workingDir ?? "/"
            settings.workingDir = path.hasPrefix("/") ? path : base + (base.hasSuffix("/") ? "" : "/") + path
        case "STOPSIGNAL": settings.stopSignal = rest
        case "ONBUILD": settings.onBuild = (settings.onBuild ?? []) + [rest]
        default: settings.healthcheck = try healthcheck(rest)
        }
    }

    /// `["a", "b"]`; nil for what is no list of strings, which is then meant for a shell.
    private static func list(_ text: String) throws(Failure) -> [String]? {
        guard text.hasPrefix("[") else { return nil }
        return try? JSON.decode([String].self, from: Array(text.utf8), as: "list")
    }

    private static func command(_ text: String) throws(Failure) -> [String] {
        try list(text) ?? ["/bin/sh", "-c", text]
    }

    /// Words as a Dockerfile has them: quotes keep blanks, a backslash keeps the next character.
    private static func words(_ text: String) throws(Failure) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var escaped = false
        for character in text {
            if escaped {
                // Within double quotes a backslash stays before what it does not protect.
                if quote == "\"", character != "\"", character != "\\", character != "$" {
                    word = (word ?? "") + "\\"
                }
                word = (word ?? "") + String(character)
                escaped = false
            } else if character == "\\", quote != "'" {
                escaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "\"" || character == "'" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        guard quote == nil else { throw Failure(.invalidArgument, "a quote is not closed") }
        if let word { words.append(word) }
        return words
    }

    /// `NAME=value …`, or docker's oldest form `NAME the rest of the line`.
    private static func pairs(_ text: String) throws(Failure) -> [(String, String)] {
        let first = text.prefix { !$0.isWhitespace }
        guard first.contains("=") else {
            let value = text.dropFirst(first.count).trimmed
            guard !value.isEmpty else { throw Failure(.invalidArgument, "\(first) has no value") }
            return [(String(first), value)]
        }
        return try words(text).map { (word) throws(Failure) in
            guard let equals = word.firstIndex(of: "="), equals != word.startIndex else {
                throw Failure(.invalidArgument, "\"\(word)\" is not NAME=VALUE")
            }
            return (String(word[..<equals]), String(word[word.index(after: equals)...]))
        }
    }

    /// `80`, `53/udp`, `8000-8003/tcp`.
    private static func exposed(_ word: String) throws(Failure) -> [String] {
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

    private static func healthcheck(_ text: String) throws(Failure) -> ImageConfig.Healthcheck {
        var rest = text[...]
        var check = ImageConfig.Healthcheck()
        while rest.hasPrefix("--") {
            let word = rest.prefix { !$0.isWhitespace }
            rest = rest.dropFirst(word.count).drop { $0.isWhitespace }
            let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw Failure(.invalidArgument, "\(word) has no value") }
            switch parts[0] {
            case "interval": check.interval = try duration(parts[1])
            case "timeout": check.timeout = try duration(parts[1])
            case "start-period": check.startPeriod = try duration(parts[1])
            case "start-interval": check.startInterval = try duration(parts[1])
            case "retries":
                guard let count = Int(parts[1]), count >= 1 else {
                    throw Failure(.invalidArgument, "--retries must be at least 1")
                }
                check.retries = count
            default: throw Failure(.invalidArgument, "unknown flag --\(parts[0])")
            }
        }
        let kind = rest.prefix { !$0.isWhitespace }.uppercased()
        let command = rest.dropFirst(kind.count).trimmed
        switch kind {
        case "NONE" where command.isEmpty: check.test = ["NONE"]
        case "CMD" where !command.isEmpty:
            check.test = try list(command).map { ["CMD"] + $0 } ?? ["CMD-SHELL", command]
        default: throw Failure(.invalidArgument, "a health check is CMD and a command, or NONE")
        }
        return check
    }

    /// Nanoseconds of Go's durations: `1m30s`, `500ms`.
    private static func duration(_ text: String) throws(Failure) -> Int64 {
        let units: [(String, Double)] = [
            ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("h", 3.6e12), ("m", 6e10), ("s", 1e9),
        ]
        var rest = text[...]
        var total = 0.0
        repeat {
            let digits = rest.prefix { $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            guard let number = Double(digits),
                let (name, scale) = units.first(where: { rest.hasPrefix($0.0) })
            else {
                throw Failure(
                    .invalidArgument, "\"\(text)\" is not a duration", hint: "write 30s, 1m30s or 500ms")
            }
            rest = rest.dropFirst(name.count)
            total += number * scale
        } while !rest.isEmpty
        guard total < 9e18 else { throw Failure(.invalidArgument, "\"\(text)\" is too long a duration") }
        return Int64(total)
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        var text = drop { $0.isWhitespace }[...]
        while let last = text.last, last.isWhitespace { text = text.dropLast() }
        return String(text)
    }
}
