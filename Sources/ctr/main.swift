import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

// Synchronous: a top-level await would start the concurrency runtime on every start.
let arguments = RuntimeProgram.arguments(CommandLine.arguments)
Program.end(
    Program.run(arguments) { (command, engine) throws(Failure) -> Int32 in
        // What somebody flushed of the host's rules comes back with the next command. A run asks when it is on a network, an
        // exec is in a hurry.
        func mending() throws(Failure) -> Engine {
            let engine = try engine()
            try? engine.mendRules()
            return engine
        }
        return switch command.verb {
        case .build, .builderDiskUsage, .builderPrune, .cp, .diff, .export, .import, .load, .login, .logout,
            .pull, .push, .save:
            try TransferProgram.become(arguments)
        case .completion: try CompletionVerb.perform(command)
        case .ociCreate, .ociRun, .ociStart, .ociState, .ociKill, .ociDelete, .ociExec, .ociPs, .ociList,
            .ociPause, .ociResume, .ociSpec, .ociFeatures, .ociUpdate, .ociEvents:
            RuntimeProgram.perform(command)
        case .doctor: try DoctorVerb.perform(command)
        case .version: try VersionVerb.perform(command)
        case .help: 0
        case .run: try RunVerb.perform(command, try engine())
        case .create: try CreateVerb.perform(command, try engine())
        case .start: try StartVerb.perform(command, try mending())
        case .stop: try StopVerb.perform(command, try mending())
        case .restart: try RestartVerb.perform(command, try mending())
        case .kill: try KillVerb.perform(command, try mending())
        case .rm: try RemoveVerb.perform(command, try mending())
        case .ps: try ListVerb.perform(command, try mending())
        case .logs: try LogsVerb.perform(command, try mending())
        case .exec: try ExecVerb.perform(command, try engine())
        case .attach: try AttachVerb.perform(command, try mending())
        case .wait: try WaitVerb.perform(command, try mending())
        case .inspect, .containerInspect, .imageInspect: try InspectVerb.perform(command, try mending())
        case .rename: try RenameVerb.perform(command, try mending())
        case .update: try UpdateVerb.perform(command, try mending())
        case .pause: try PauseVerb.perform(command, try mending())
        case .unpause: try UnpauseVerb.perform(command, try mending())
        case .stats: try StatsVerb.perform(command, try mending())
        case .top: try TopVerb.perform(command, try mending())
        case .events: try EventsVerb.perform(command, try mending())
        case .bundle: try BundleVerb.perform(command, try mending())
        case .images: try ImagesVerb.perform(command, try mending())
        case .rmi: try RemoveImageVerb.perform(command, try mending())
        case .tag: try TagVerb.perform(command, try mending())
        case .history: try HistoryVerb.perform(command, try mending())
        case .imagePrune: try ImagePruneVerb.perform(command, try mending())
        case .port: try PortVerb.perform(command, try mending())
        case .networkCreate: try NetworkCreateVerb.perform(command, try mending())
        case .networkList: try NetworkListVerb.perform(command, try mending())
        case .networkInspect: try NetworkInspectVerb.perform(command, try mending())
        case .networkRemove: try NetworkRemoveVerb.perform(command, try mending())
        case .networkPrune: try NetworkPruneVerb.perform(command, try mending())
        case .networkConnect: try NetworkConnectVerb.perform(command, try mending())
        case .networkDisconnect: try NetworkDisconnectVerb.perform(command, try mending())
        case .networkReload: try NetworkReloadVerb.perform(command, try mending())
        case .volumeCreate: try VolumeCreateVerb.perform(command, try mending())
        case .volumeList: try VolumeListVerb.perform(command, try mending())
        case .volumeInspect: try VolumeInspectVerb.perform(command, try mending())
        case .volumeRemove: try VolumeRemoveVerb.perform(command, try mending())
        case .volumePrune: try VolumePruneVerb.perform(command, try mending())
        case .healthcheckRun: try HealthcheckRunVerb.perform(command, try mending())
        case .secretCreate: try SecretCreateVerb.perform(command, try mending())
        case .secretList: try SecretListVerb.perform(command, try mending())
        case .secretInspect: try SecretInspectVerb.perform(command, try mending())
        case .secretRemove: try SecretRemoveVerb.perform(command, try mending())
        case .systemBoot: try SystemBootVerb.perform(command, try mending())
        case .systemInstall: try SystemInstallVerb.perform(command)
        case .systemUninstall: try SystemUninstallVerb.perform(command)
        case .info: try InfoVerb.perform(command, try mending())
        case .internal: try InternalVerb.perform(command, try engine())
        }
    })
