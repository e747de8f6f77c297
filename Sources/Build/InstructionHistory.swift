internal import Dockerfile

extension Instruction {
    /// How the image's history tells of an instruction, its variables put in.
    var historyText: String {
        switch kind {
        case .env(let assignments): "ENV \(InstructionText.pairs(assignments))"
        case .label(let assignments): "LABEL \(InstructionText.pairs(assignments))"
        case .cmd(let command): "CMD \(InstructionText.words(of: command))"
        case .entrypoint(let command): "ENTRYPOINT \(InstructionText.words(of: command))"
        case .expose(let ports): "EXPOSE \(ports.joined(separator: " "))"
        case .volume(let paths): "VOLUME \(InstructionText.list(paths))"
        case .user(let user): "USER \(user)"
        case .workdir(let path): "WORKDIR \(path)"
        case .stopsignal(let signal): "STOPSIGNAL \(signal)"
        case .shell(let words): "SHELL \(InstructionText.list(words))"
        case .onbuild(let text, _): "ONBUILD \(text)"
        case .maintainer(let author): "MAINTAINER \(author)"
        case .copy(let files): "COPY \(InstructionText.files(files))"
        case .add(let files): "ADD \(InstructionText.files(files))"
        case .healthcheck, .arg, .run: text
        }
    }
}

private enum InstructionText {
    static func pairs(_ assignments: [Assignment]) -> String {
        assignments.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }

    static func words(of command: CommandLine) -> String {
        switch command.form {
        case .exec(let words): list(words)
        case .shell(let line): line
        }
    }

    static func list(_ words: [String]) -> String {
        "[\(words.map(\.debugDescription).joined(separator: " "))]"
    }

    static func files(_ files: FileInstruction) -> String {
        var words: [String] = []
        if let from = files.from { words.append("--from=\(from)") }
        if let owner = files.owner { words.append("--chown=\(owner)") }
        if let mode = files.mode { words.append("--chmod=\(mode)") }
        words += files.sources + files.heredocs.map { "<<\($0.name)" } + [files.destination]
        return words.joined(separator: " ")
    }
}
