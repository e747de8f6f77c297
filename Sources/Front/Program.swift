package import CommandTable
package import Engine
package import Failure
internal import LinuxSystem
internal import Rootless

/// From the words to the exit code; the programs differ in the verbs that they perform.
package enum Program {
    /// - Parameter verbs: does what the words ask for; help is not its business. The engine is made when it is asked for.
    package static func run(
        _ arguments: [String],
        _ verbs: (ParsedCommand, () throws(Failure) -> Engine) throws(Failure) -> Int32
    ) -> Int32 {
        let command: ParsedCommand
        do throws(Failure) {
            command = try CommandTable.parse(arguments)
        } catch {
            report(error, verb: nil, debug: false, program: arguments.first == "oci" ? "ctr-oci" : "ctr")
            return CommandTable.usageExitCode(of: arguments)
        }
        do throws(Failure) {
            return try perform(command, verbs)
        } catch {
            report(error, verb: command.verb, debug: command.flag(.debug))
            return exitCode(of: error, verb: command.verb)
        }
    }

    /// Writes out what is pending and ends; a stdout that could not take everything is a failure of its own.
    package static func end(_ code: Int32) -> Never {
        if !Console.flush(), code == 0 { Process.exit(1) }
        Process.exit(code)
    }

    private static func perform(
        _ command: ParsedCommand,
        _ verbs: (ParsedCommand, () throws(Failure) -> Engine) throws(Failure) -> Int32
    ) throws(Failure) -> Int32 {
        switch command.request {
        case .help(let topic):
            Console.out(HelpText.text(on: topic))
            return 0
        case .versionLine:
            Console.out(
                command.verb == .ociFeatures
                    ? "ctr-oci version \(Build.version)\nspec: 1.3.0\n" : "ctr version \(Build.version)\n")
            return 0
        case .perform:
            return try verbs(command) { () throws(Failure) in
                try enterNamespaces()
                return try Engine(
                    root: command.value(.root), runRoot: command.value(.runRoot), debug: command.flag(.debug))
            }
        }
    }

    /// An ordinary user's ctr is root in a namespace of its own; before anything else, while there is one thread.
    package static func enterNamespaces() throws(Failure) {
        try RootlessSession.enter { () throws(Failure) in try Engine.programBeside("ctr-monitor") }
    }

    /// One line for a person, a hint where there is one, the causes with --debug.
    /// - Parameter program: the name it was called by, as other engines look for it.
    package static func report(_ failure: Failure, verb: Verb?, debug: Bool, program: String = "ctr") {
        if failure.cause is ToldAlready { return }
        var text = "\(program): \(failure.message)\n"
        if let hint = failure.hint { text += "\(hint)\n" }
        if debug {
            var cause = failure.cause
            while let next = cause {
                text += "  caused by: \(next)\n"
                cause = (next as? Failure)?.cause
            }
        }
        Console.error(text)
    }

    /// docker's: 125 for ctr's own failures where the command's exit code is passed on, else 1; 126 and 127 for a
    /// command that cannot be executed or is not there.
    private static func exitCode(of failure: Failure, verb: Verb) -> Int32 {
        if let launch = failure.cause as? StartFailure { return launch.exitCode }
        return verb.usageExitCode
    }

    /// Does the same to each word; a failure is reported and the others still get their turn.
    package static func each(
        _ words: [String], verb: Verb, debug: Bool, _ body: (String) throws(Failure) -> Void
    ) -> Int32 {
        var code: Int32 = 0
        for word in words {
            do throws(Failure) {
                try body(word)
            } catch {
                report(error, verb: verb, debug: debug)
                code = 1
            }
        }
        return code
    }
}

/// The cause of a failure that another program has told of.
package struct ToldAlready: Error {
    package init() {}
}
