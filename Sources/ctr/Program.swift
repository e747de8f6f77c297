import CommandTable
import Engine
import Failure
import LinuxSystem

/// From the words to the exit code.
enum Program {
    static func run(_ arguments: [String]) -> Int32 {
        let command: ParsedCommand
        do throws(Failure) {
            command = try CommandTable.parse(arguments)
        } catch {
            report(error, verb: nil, debug: false)
            return CommandTable.usageExitCode(of: arguments)
        }
        do throws(Failure) {
            return try perform(command)
        } catch {
            report(error, verb: command.verb, debug: command.flag(.debug))
            return exitCode(of: error, verb: command.verb)
        }
    }

    /// Writes out what is pending and ends; a stdout that could not take everything is a failure of its own.
    static func end(_ code: Int32) -> Never {
        if !Console.flush(), code == 0 { Process.exit(1) }
        Process.exit(code)
    }

    private static func perform(_ command: ParsedCommand) throws(Failure) -> Int32 {
        switch command.request {
        case .help(let topic):
            Console.out(HelpText.text(on: topic))
            return 0
        case .versionLine:
            Console.out("ctr version \(Build.version)\n")
            return 0
        case .perform: break
        }
        switch command.verb {
        case .help: return 0
        case .completion: return try CompletionVerb.perform(command)
        case .version: return try VersionVerb.perform(command)
        default: break
        }
        let engine = try Engine(
            root: command.value(.root), runRoot: command.value(.runRoot), debug: command.flag(.debug))
        return try verb(command, engine)
    }

    private static func verb(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        switch command.verb {
        case .run: try RunVerb.perform(command, engine)
        case .create: try CreateVerb.perform(command, engine)
        case .start: try StartVerb.perform(command, engine)
        case .stop: try StopVerb.perform(command, engine)
        case .restart: try RestartVerb.perform(command, engine)
        case .kill: try KillVerb.perform(command, engine)
        case .rm: try RemoveVerb.perform(command, engine)
        case .ps: try ListVerb.perform(command, engine)
        case .logs: try LogsVerb.perform(command, engine)
        case .exec: try ExecVerb.perform(command, engine)
        case .attach: try AttachVerb.perform(command, engine)
        case .wait: try WaitVerb.perform(command, engine)
        case .inspect, .containerInspect, .imageInspect: try InspectVerb.perform(command, engine)
        case .rename: try RenameVerb.perform(command, engine)
        case .cp: try CopyVerb.perform(command, engine)
        case .diff: try DiffVerb.perform(command, engine)
        case .export: try ExportVerb.perform(command, engine)
        case .bundle: try BundleVerb.perform(command, engine)
        case .pull: try PullVerb.perform(command, engine)
        case .push: try PushVerb.perform(command, engine)
        case .images: try ImagesVerb.perform(command, engine)
        case .rmi: try RemoveImageVerb.perform(command, engine)
        case .tag: try TagVerb.perform(command, engine)
        case .history: try HistoryVerb.perform(command, engine)
        case .import: try ImportVerb.perform(command, engine)
        case .save: try SaveVerb.perform(command, engine)
        case .load: try LoadVerb.perform(command, engine)
        case .imagePrune: try ImagePruneVerb.perform(command, engine)
        case .login: try LoginVerb.perform(command, engine)
        case .logout: try LogoutVerb.perform(command, engine)
        case .volumeCreate: try VolumeCreateVerb.perform(command, engine)
        case .volumeList: try VolumeListVerb.perform(command, engine)
        case .volumeInspect: try VolumeInspectVerb.perform(command, engine)
        case .volumeRemove: try VolumeRemoveVerb.perform(command, engine)
        case .volumePrune: try VolumePruneVerb.perform(command, engine)
        case .info: try InfoVerb.perform(command, engine)
        case .internal: try InternalVerb.perform(command, engine)
        case .help, .completion, .version: 0
        }
    }

    /// One line for a person, a hint where there is one, the causes with --debug.
    static func report(_ failure: Failure, verb: Verb?, debug: Bool) {
        var text = "ctr: \(failure.message)\n"
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
    static func each(
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
