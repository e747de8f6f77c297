/// One instruction of a stage.
package struct Instruction: Sendable, Equatable {
    package var range: SourceRange
    /// The instruction as one line: its keyword in capitals, flags and arguments as written, continuations joined,
    /// heredocs' bodies left out. It is what progress shows.
    package var text: String
    /// The keyword as it is written, for the linter.
    package var writtenKeyword: String
    package var kind: Kind

    package init(range: SourceRange, text: String, writtenKeyword: String, kind: Kind) {
        self.range = range
        self.text = text
        self.writtenKeyword = writtenKeyword
        self.kind = kind
    }

    package enum Kind: Sendable, Equatable {
        case add(FileInstruction)
        case arg([ArgumentDeclaration])
        case cmd(CommandLine)
        case copy(FileInstruction)
        case entrypoint(CommandLine)
        case env([Assignment])
        /// Ports as they are written.
        case expose([String])
        case healthcheck(HealthcheckInstruction)
        case label([Assignment])
        case maintainer(String)
        /// The instruction's text with the heredocs' bodies, and the instruction itself.
        case onbuild(text: String, instruction: OnBuildTrigger)
        case run(RunInstruction)
        case shell([String])
        case stopsignal(String)
        case user(String)
        case volume([String])
        case workdir(String)
    }
}

/// ONBUILD's own instruction; a box, for an enum cannot hold itself.
package struct OnBuildTrigger: Sendable, Equatable {
    private var held: [Instruction]
    package var instruction: Instruction { held[0] }

    package init(_ instruction: Instruction) { held = [instruction] }
}

/// `NAME=value` of ENV and LABEL, unexpanded, quotes still in place.
package struct Assignment: Sendable, Equatable {
    package var name: String
    package var value: String
    /// `ENV name value`, the form without an equals sign.
    package var isLegacy: Bool

    package init(name: String, value: String, isLegacy: Bool = false) {
        self.name = name
        self.value = value
        self.isLegacy = isLegacy
    }
}

/// `ARG name` or `ARG name=value`, unexpanded.
package struct ArgumentDeclaration: Sendable, Equatable {
    package var name: String
    package var value: String?

    package init(name: String, value: String?) {
        self.name = name
        self.value = value
    }
}

/// What RUN, CMD, ENTRYPOINT and HEALTHCHECK run.
package struct CommandLine: Sendable, Equatable {
    package enum Form: Sendable, Equatable {
        /// The JSON form.
        case exec([String])
        /// What the shell reads: the line, and after it the lines of its heredocs with the words that end them.
        case shell(String)
    }

    package var form: Form
    /// RUN alone.
    package var heredocs: [Heredoc]
    /// `RUN <<EOF` and nothing else: the heredoc is not the input of a command, it is itself the script.
    package var script: Heredoc?

    package init(_ form: Form, heredocs: [Heredoc] = []) {
        self.form = form
        self.heredocs = heredocs
    }
}

/// `<<EOF` and its lines.
package struct Heredoc: Sendable, Equatable {
    /// The word, without quotes.
    package var name: String
    /// `<<3EOF` has the descriptor 3; 0 otherwise.
    package var descriptor: Int
    /// False for a quoted word.
    package var expands: Bool
    /// `<<-`: leading tabs were taken away from `content` already.
    package var chomps: Bool
    /// With the newline of its last line.
    package var content: String

    package init(name: String, descriptor: Int = 0, expands: Bool, chomps: Bool, content: String) {
        self.name = name
        self.descriptor = descriptor
        self.expands = expands
        self.chomps = chomps
        self.content = content
    }
}

package struct RunInstruction: Sendable, Equatable {
    package enum Network: String, Sendable { case `default`, none, host }

    package var command: CommandLine
    /// The values of `--mount`, unexpanded: `RunMount.parse` reads them.
    package var mounts: [String] = []
    package var network: Network = .default

    package init(_ command: CommandLine) { self.command = command }
}

/// COPY and ADD. Everything is unexpanded.
package struct FileInstruction: Sendable, Equatable {
    package var sources: [String]
    /// Heredocs among the sources, in their order after `sources`; a file each.
    package var heredocs: [Heredoc] = []
    package var destination: String
    package var owner: String?
    package var mode: String?
    package var link = false
    package var excludes: [String] = []
    /// COPY alone: a stage, an image, a named context.
    package var from: String?
    package var parents = false
    /// ADD alone.
    package var checksum: String?
    package var keepGitDirectory = false
    /// ADD alone; nil: archives of the context are unpacked, those from an address are not.
    package var unpacks: Bool?

    package init(sources: [String], destination: String) {
        self.sources = sources
        self.destination = destination
    }
}

package struct HealthcheckInstruction: Sendable, Equatable {
    /// nil: `HEALTHCHECK NONE`.
    package var command: CommandLine?
    /// Nanoseconds.
    package var interval, timeout, startPeriod, startInterval: Int64?
    package var retries: Int?

    package init(command: CommandLine?) { self.command = command }
}
