/// A parsed Dockerfile: nothing is expanded yet, and every instruction is known to be well-formed as far as that can
/// be told without the values of variables.
package struct DockerfileDocument: Sendable, Equatable {
    /// As shown in messages: `Dockerfile`.
    package var name: String
    /// The text's lines, without their ends.
    package var lines: [String]
    package var directives: [ParserDirective] = []
    /// `\` or a backtick.
    package var escape: Character = "\\"
    /// ARG instructions before the first FROM.
    package var globalArguments: [Instruction] = []
    package var stages: [Stage] = []
    /// What the parser itself noticed (an empty line in a continuation); the other rules are `Lint`'s.
    package var warnings: [LintFinding] = []

    package init(name: String, lines: [String]) {
        self.name = name
        self.lines = lines
    }

    /// `# syntax=…`, `# escape=…`, `# check=…`
    package struct ParserDirective: Sendable, Equatable {
        /// Lower-cased.
        package var name: String
        package var value: String
        package var range: SourceRange

        package init(name: String, value: String, range: SourceRange) {
            self.name = name
            self.value = value
            self.range = range
        }
    }
}

/// A FROM and what follows it.
package struct Stage: Sendable, Equatable {
    /// From 0.
    package var index: Int
    /// `AS name`, lower-cased.
    package var name: String?
    /// The name as it is written, for the linter.
    package var writtenName: String?
    /// Unexpanded: an image, a former stage's name, or `scratch`.
    package var base: String
    /// `--platform`, unexpanded.
    package var platform: String?
    /// The FROM instruction.
    package var range: SourceRange
    /// The FROM instruction in one line.
    package var text: String
    package var instructions: [Instruction] = []
    /// FROM and AS as they are written, for the linter.
    package var writtenKeyword = "FROM"
    package var writtenAs: String?

    package init(index: Int, name: String?, base: String, platform: String?, range: SourceRange, text: String)
    {
        self.index = index
        self.name = name?.lowercased()
        writtenName = name
        self.base = base
        self.platform = platform
        self.range = range
        self.text = text
    }
}

/// What a lint rule found (`--check`).
package struct LintFinding: Sendable, Equatable {
    /// BuildKit's name of the rule: `StageNameCasing`.
    package var rule: String
    /// The rule in a sentence.
    package var summary: String
    /// What is wrong here.
    package var message: String
    package var range: SourceRange?

    package init(rule: String, summary: String, message: String, range: SourceRange?) {
        self.rule = rule
        self.summary = summary
        self.message = message
        self.range = range
    }
}
