import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

// Synchronous: a top-level await would start the concurrency runtime at once. Verbs of the network start their own tasks.
Program.end(
    Program.run(Array(CommandLine.arguments.dropFirst())) { (command, engine) throws(Failure) in
        switch command.verb {
        case .build: try BuildVerb.perform(command, engine)
        case .builderDiskUsage: try BuilderDiskUsageVerb.perform(command, try engine())
        case .builderPrune: try BuilderPruneVerb.perform(command, try engine())
        case .pull: try PullVerb.perform(command, try engine())
        case .push: try PushVerb.perform(command, try engine())
        case .login: try LoginVerb.perform(command, try engine())
        case .logout: try LogoutVerb.perform(command, try engine())
        case .import: try ImportVerb.perform(command, try engine())
        case .save: try SaveVerb.perform(command, try engine())
        case .load: try LoadVerb.perform(command, try engine())
        case .cp: try CopyVerb.perform(command, try engine())
        case .diff: try DiffVerb.perform(command, try engine())
        case .export: try ExportVerb.perform(command, try engine())
        case .internal: try ProvideVerb.perform(command.positionals, try engine())
        default:
            throw Failure(
                .internal, "ctr-transfer does not know \(command.verb.commandPath)", hint: "run ctr")
        }
    })
