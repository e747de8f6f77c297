import Build
import BuildContext
import CommandTable
import Engine
import Failure
import LinuxSystem

/// The words of `ctr build` as a request.
enum BuildFlags {
    static func request(_ command: ParsedCommand) throws(Failure) -> BuildRequest {
        var request = BuildRequest(context: context(command.positionals[0]))
        request.dockerfile = command.value(.file)
        request.names = command.values(.tag)
        for argument in command.values(.buildArg) {
            let (name, value) = split(argument)
            guard !name.isEmpty else {
                throw Failure(.invalidArgument, "--build-arg \(argument): it has no name")
            }
            request.arguments[name] = value ?? Process.environmentValue(name)
        }
        request.target = command.value(.target)
        request.platform = command.value(.platform)
        for label in command.values(.label) {
            let (name, value) = split(label)
            request.labels[name] = value ?? ""
        }
        for annotation in command.values(.annotation) {
            let (name, value) = split(annotation)
            request.annotations[name] = value ?? ""
        }
        request.ignoresCache = command.flag(.noCache)
        request.uncachedStages = Set(
            command.values(.noCacheFilter).flatMap { $0.split(separator: ",") }.map(String.init))
        request.pulls = command.flag(.pull)
        request.explains = command.flag(.explain)
        request.network =
            switch command.value(.network) ?? "default" {
            case "none": .none
            case "host": .host
            case "default", "": .named("bridge")
            case let name: .named(name)
            }
        for text in command.values(.secret) { request.secrets.append(try secret(text)) }
        for text in command.values(.ssh) { request.agents.append(try agent(text)) }
        for text in command.values(.buildContext) {
            let (name, value) = split(text)
            request.contexts[name] = value ?? ""
        }
        request.extraHosts = try command.parsedList(.addHost) { (text) throws(Failure) in
            try ExtraHost.parse(text)
        }.map { "\($0.name):\($0.address)" }
        request.shmSize = try command.value(.shmSize).map { (text) throws(Failure) in
            UInt64(try ByteSize.parse(text))
        }
        request.ulimits = command.values(.ulimit)
        for text in command.values(.output) { request.outputs.append(try output(text)) }
        request.imageIDFile = command.value(.iidfile)
        request.metadataFile = command.value(.metadataFile)
        for text in command.values(.cacheFrom) {
            request.cacheSources.append(try cache(text, "--cache-from", directory: "src"))
        }
        for text in command.values(.cacheTo) {
            request.cacheTargets.append(try cache(text, "--cache-to", directory: "dest"))
        }
        request.sourceDateEpoch = Process.environmentValue("SOURCE_DATE_EPOCH")
        return request
    }

    private static func context(_ word: String) -> BuildRequest.Context {
        if word == "-" { return .standardInput }
        // `github.com/user/repo` may be a directory.
        if (try? FileDescriptor.status(word))?.kind == .directory { return .directory(word) }
        if GitSource.isGit(word) { return .git(word) }
        if word.hasPrefix("http://") || word.hasPrefix("https://") { return .address(word) }
        return .directory(word)
    }

    private static func split(_ text: String) -> (name: String, value: String?) {
        guard let equals = text.firstIndex(of: "=") else { return (text, nil) }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    // MARK: fields

    /// `key=value,key=value`; a field may be quoted as in CSV.
    private static func fields(_ text: String) -> [(key: String, value: String?)] {
        var fields: [String] = []
        var field = ""
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "," where !isQuoted:
                fields.append(field)
                field = ""
            default: field.append(character)
            }
        }
        fields.append(field)
        return fields.map { field in
            let (key, value) = split(field)
            return (value == nil ? key : key.lowercased(), value)
        }
    }

    private static func unknown(_ flag: String, _ text: String, _ key: String, _ known: [String]) -> Failure {
        Failure(
            .invalidArgument, "\(flag) \(text): unknown field \"\(key)\"",
            hint: "there are \(known.joined(separator: ", "))")
    }

    private static func secret(_ text: String) throws(Failure) -> SecretSource {
        var id: String?
        var type: String?
        var source: String?
        var variable: String?
        for (key, value) in fields(text) {
            switch (key, value) {
            case ("id", let value?): id = value
            case ("type", let value?) where value == "file" || value == "env": type = value
            case ("type", let value):
                throw Failure(
                    .invalidArgument, "--secret \(text): unknown type \"\(value ?? "")\"", hint: "file or env"
                )
            case ("src", let value?), ("source", let value?): source = value
            case ("env", let value?): variable = value
            default: throw unknown("--secret", text, key, ["id", "src", "env", "type"])
            }
        }
        guard let id = id ?? source?.split(separator: "/").last.map(String.init), !id.isEmpty else {
            throw Failure(.invalidArgument, "--secret \(text): it has no id", hint: "write id=NAME,src=FILE")
        }
        if type == "env", variable == nil { (variable, source) = (source, nil) }
        if let variable { return SecretSource(id: id, origin: .environment(variable)) }
        if let source { return SecretSource(id: id, origin: .file(source)) }
        // As docker: a variable of that name, else a file.
        return Process.environmentValue(id) != nil && type != "file"
            ? SecretSource(id: id, origin: .environment(id)) : SecretSource(id: id, origin: .file(id))
    }

    private static func agent(_ text: String) throws(Failure) -> AgentSource {
        let (id, value) = split(text)
        if let value {
            guard !value.contains(",") else {
                throw Failure(
                    .unsupported, "--ssh \(text): keys are not read here",
                    hint: "add them to an agent and give its socket")
            }
            let kind = (try? FileDescriptor.status(value))?.kind
            guard kind == .socket else {
                throw Failure(
                    kind == nil ? .notFound : .unsupported,
                    "--ssh \(text): \(value) is no socket of an agent",
                    hint: "add the key to an agent (ssh-add) and give its socket")
            }
            return AgentSource(id: id, socket: value)
        }
        guard let socket = Process.environmentValue("SSH_AUTH_SOCK"), !socket.isEmpty else {
            throw Failure(
                .invalidArgument, "--ssh \(text): SSH_AUTH_SOCK is not set",
                hint: "start an agent, or write --ssh \(text)=SOCKET")
        }
        return AgentSource(id: id, socket: socket)
    }

    private static func output(_ text: String) throws(Failure) -> BuildOutput {
        let all = fields(text)
        if all.count == 1, all[0].value == nil {
            // A path alone: a directory, or a tar on standard output.
            return all[0].key == "-" ? BuildOutput(.tar) : BuildOutput(.local, destination: all[0].key)
        }
        var output = BuildOutput(.image)
        var isKnown = false
        for (key, value) in all {
            switch (key, value) {
            case ("type", let value?):
                guard let kind = value == "registry" ? .image : BuildOutput.Kind(rawValue: value) else {
                    throw Failure(
                        .invalidArgument, "--output \(text): unknown type \"\(value)\"",
                        hint: "there are image, registry, oci, docker, tar and local")
                }
                output.kind = kind
                if value == "registry" { output.pushes = true }
                isKnown = true
            case ("dest", let value?): output.destination = value
            case ("name", let value?): output.names += value.split(separator: ",").map(String.init)
            case ("push", let value): output.pushes = Toggle.parse(value ?? "true") ?? false
            case ("tar", let value) where value == "true":
                break
            default: throw unknown("--output", text, key, ["type", "dest", "name", "push"])
            }
        }
        guard isKnown else {
            throw Failure(.invalidArgument, "--output \(text): type is required")
        }
        return output
    }

    private static func cache(_ text: String, _ flag: String, directory: String) throws(Failure)
        -> CacheLocation
    {
        var type = "registry"
        var reference: String?
        var path: String?
        var isMaximal = false
        for (key, value) in fields(text) {
            switch (key, value) {
            case ("type", let value?): type = value
            case ("ref", let value?): reference = value
            case (directory, let value?): path = value
            case ("mode", "max"): isMaximal = true
            case ("mode", "min"): isMaximal = false
            case (let word, nil): reference = word
            default: throw unknown(flag, text, key, ["type", "ref", directory, "mode"])
            }
        }
        var location: CacheLocation
        switch (type, reference, path) {
        case ("registry", let reference?, _): location = CacheLocation(.registry(reference))
        case ("local", _, let path?): location = CacheLocation(.local(path))
        case ("registry", _, _): throw Failure(.invalidArgument, "\(flag) \(text): ref is required")
        case ("local", _, _): throw Failure(.invalidArgument, "\(flag) \(text): \(directory) is required")
        default:
            throw Failure(
                .unsupported, "\(flag) \(text): unknown type \"\(type)\"",
                hint: "there are registry and local")
        }
        location.isMaximal = isMaximal
        return location
    }
}
