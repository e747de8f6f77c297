/// Expands what an instruction consists of, and notes which variables that took.
struct Expander {
    private var expansion: Expansion
    private let buildArguments, globalArguments: [String: String]
    private(set) var used: Set<String> = []
    private(set) var undefined: Set<String> = []

    init(
        _ expansion: Expansion, buildArguments: [String: String] = [:],
        globalArguments: [String: String] = [:]
    ) {
        self.expansion = expansion
        self.buildArguments = buildArguments
        self.globalArguments = globalArguments
    }

    mutating func expand(_ kind: Instruction.Kind) throws(DockerfileError) -> Instruction.Kind {
        switch kind {
        case .add(let files): .add(try expand(files))
        case .copy(let files): .copy(try expand(files))
        case .arg(let declarations): .arg(try expand(declarations))
        case .env(let assignments): .env(try expand(assignments))
        case .label(let assignments): .label(try expand(assignments))
        case .expose(let ports): .expose(try lineWords(ports))
        case .volume(let paths): .volume(try words(paths))
        case .stopsignal(let signal): .stopsignal(try word(signal))
        case .user(let user): .user(try word(user))
        case .workdir(let path): .workdir(try word(path))
        case .run(let run): .run(try read(run))
        case .cmd, .entrypoint, .healthcheck, .maintainer, .onbuild, .shell: kind
        }
    }

    mutating func word(_ text: String) throws(DockerfileError) -> String {
        note(try expansion.word(text))
    }

    mutating func word(_ text: String?) throws(DockerfileError) -> String? {
        guard let text else { return nil }
        return try word(text)
    }

    private mutating func words(_ texts: [String]) throws(DockerfileError) -> [String] {
        var result: [String] = []
        for text in texts { result.append(try word(text)) }
        return result
    }

    /// EXPOSE alone: a variable can hold many ports.
    private mutating func lineWords(_ texts: [String]) throws(DockerfileError) -> [String] {
        var result: [String] = []
        for text in texts { result += note(try expansion.words(text)) }
        return result
    }

    private mutating func note<Value>(_ expanded: Expanded<Value>) -> Value {
        used.formUnion(expanded.used)
        undefined.formUnion(expanded.undefined)
        return expanded.value
    }

    private mutating func expand(_ files: FileInstruction) throws(DockerfileError) -> FileInstruction {
        var files = files
        files.sources = try words(files.sources)
        files.destination = try word(files.destination)
        files.owner = try word(files.owner)
        files.mode = try word(files.mode)
        files.checksum = try word(files.checksum)
        files.excludes = try words(files.excludes)
        for index in files.heredocs.indices where files.heredocs[index].expands {
            files.heredocs[index].content = note(try expansion.heredoc(files.heredocs[index].content))
        }
        return files
    }

    private mutating func expand(
        _ declarations: [ArgumentDeclaration]
    ) throws(DockerfileError) -> [ArgumentDeclaration] {
        var result: [ArgumentDeclaration] = []
        for declaration in declarations {
            let name = try word(declaration.name)
            var value = buildArguments[name]
            if value == nil { value = try word(declaration.value) }
            if value == nil { value = globalArguments[name] }
            if let value { expansion.variables[name] = value }
            result.append(ArgumentDeclaration(name: name, value: value))
        }
        // Declared without a value is not undefined.
        undefined.subtract(result.map(\.name))
        return result
    }

    /// The values of mounts are put in when the mounts are read; here only to know what they need.
    private mutating func read(_ run: RunInstruction) throws(DockerfileError) -> RunInstruction {
        for mount in run.mounts {
            _ = try RunMount.parse(mount) { (text) throws(DockerfileError) in try word(text) }
        }
        return run
    }

    private mutating func expand(_ assignments: [Assignment]) throws(DockerfileError) -> [Assignment] {
        var result = assignments
        for index in result.indices {
            result[index].name = try word(result[index].name)
            result[index].value = try word(result[index].value)
        }
        return result
    }
}
