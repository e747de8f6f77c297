extension Statement {
    /// The instruction that it is; FROM is `stage(_:)`'s.
    func instruction(_ range: SourceRange) throws(DockerfileError) -> Instruction {
        Instruction(range: range, text: summary, writtenKeyword: keywordWord.text, kind: try kind(range))
    }

    private func kind(_ range: SourceRange) throws(DockerfileError) -> Instruction.Kind {
        let flags = try FlagReader(flags, of: keyword)
        if list == .other, [.add, .cmd, .copy, .entrypoint, .run, .shell, .volume].contains(keyword) {
            throw fail("a JSON list holds strings only", at: arguments.range)
        }
        switch keyword {
        case .add: return .add(try fileInstruction(flags))
        case .arg: return .arg(try declarations())
        case .cmd: return .cmd(commandLine())
        case .copy: return .copy(try fileInstruction(flags))
        case .entrypoint: return .entrypoint(commandLine())
        case .env: return .env(try assignments())
        case .expose: return .expose(try atLeastOne().words.map(\.text))
        case .from: throw fail("no build stage in current context")
        case .healthcheck: return .healthcheck(try healthcheck(flags))
        case .label: return .label(try assignments())
        case .maintainer: return .maintainer(try exactlyOne())
        case .onbuild: return try onbuild(range)
        case .run: return .run(try run(flags))
        case .shell: return .shell(try shell())
        case .stopsignal: return .stopsignal(try exactlyOne())
        case .user: return .user(try exactlyOne())
        case .volume: return .volume(try volumes())
        case .workdir: return .workdir(try exactlyOne())
        }
    }

    private func atLeastOne() throws(DockerfileError) -> Fragment {
        guard !arguments.isEmpty else { throw fail("\(keyword.rawValue) needs at least one argument") }
        return arguments
    }

    /// All of the line is the one argument, blanks too.
    private func exactlyOne() throws(DockerfileError) -> String {
        guard !arguments.isEmpty else { throw fail("\(keyword.rawValue) needs exactly one argument") }
        return arguments.text
    }

    private func onbuild(_ range: SourceRange) throws(DockerfileError) -> Instruction.Kind {
        guard var trigger else { throw fail("ONBUILD needs an instruction") }
        trigger.heredocs = heredocs
        return .onbuild(
            text: withHeredocs(trigger.text.text), instruction: OnBuildTrigger(try trigger.instruction(range))
        )
    }

    private func shell() throws(DockerfileError) -> [String] {
        guard case .strings(let words) = list else {
            _ = try atLeastOne()
            throw fail(
                "SHELL takes its arguments in JSON form", at: arguments.range,
                hint: "write it as SHELL [\"/bin/sh\", \"-c\"]")
        }
        guard !words.isEmpty else { throw fail("SHELL needs at least one argument") }
        return words
    }

    private func volumes() throws(DockerfileError) -> [String] {
        var paths = try atLeastOne().words.map(\.text)
        if case .strings(let listed) = list { paths = listed }
        guard !paths.isEmpty else { throw fail("VOLUME needs at least one argument") }
        guard !paths.contains(where: { $0.allSatisfy(\.isWhitespace) }) else {
            throw fail("the path of a VOLUME is empty", at: arguments.range)
        }
        return paths
    }
}
