import CommandTable
import Failure
import Front
import LinuxSystem

// Synchronous: a top-level await would start the concurrency runtime on every start.
let arguments = RuntimeProgram.arguments(CommandLine.arguments)
Program.end(
    Program.run(arguments) { (command, engine) throws(Failure) in
        switch command.verb {
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
        case .start: try StartVerb.perform(command, try engine())
        case .stop: try StopVerb.perform(command, try engine())
        case .restart: try RestartVerb.perform(command, try engine())
        case .kill: try KillVerb.perform(command, try engine())
        case .rm: try RemoveVerb.perform(command, try engine())
        case .ps: try ListVerb.perform(command, try engine())
        case .logs: try LogsVerb.perform(command, try engine())
        case .exec: try ExecVerb.perform(command, try engine())
        case .attach: try AttachVerb.perform(command, try engine())
        case .wait: try WaitVerb.perform(command, try engine())
        case .inspect, .containerInspect, .imageInspect: try InspectVerb.perform(command, try engine())
        case .rename: try RenameVerb.perform(command, try engine())
        case .update: try UpdateVerb.perform(command, try engine())
        case .pause: try PauseVerb.perform(command, try engine())
        case .unpause: try UnpauseVerb.perform(command, try engine())
        case .stats: try StatsVerb.perform(command, try engine())
        case .top: try TopVerb.perform(command, try engine())
        case .events: try EventsVerb.perform(command, try engine())
        case .bundle: try BundleVerb.perform(command, try engine())
        case .images: try ImagesVerb.perform(command, try engine())
        case .rmi: try RemoveImageVerb.perform(command, try engine())
        case .tag: try TagVerb.perform(command, try engine())
        case .history: try HistoryVerb.perform(command, try engine())
        case .imagePrune: try ImagePruneVerb.perform(command, try engine())
        case .port: try PortVerb.perform(command, try engine())
        case .networkCreate: try NetworkCreateVerb.perform(command, try engine())
        case .networkList: try NetworkListVerb.perform(command, try engine())
        case .networkInspect: try NetworkInspectVerb.perform(command, try engine())
        case .networkRemove: try NetworkRemoveVerb.perform(command, try engine())
        case .networkPrune: try NetworkPruneVerb.perform(command, try engine())
        case .networkConnect: try NetworkConnectVerb.perform(command, try engine())
        case .networkDisconnect: try NetworkDisconnectVerb.perform(command, try engine())
        case .networkReload: try NetworkReloadVerb.perform(command, try engine())
        case .volumeCreate: try VolumeCreateVerb.perform(command, try engine())
        case .volumeList: try VolumeListVerb.perform(command, try engine())
        case .volumeInspect: try VolumeInspectVerb.perform(command, try engine())
        case .volumeRemove: try VolumeRemoveVerb.perform(command, try engine())
        case .volumePrune: try VolumePruneVerb.perform(command, try engine())
        case .healthcheckRun: try HealthcheckRunVerb.perform(command, try engine())
        case .secretCreate: try SecretCreateVerb.perform(command, try engine())
        case .secretList: try SecretListVerb.perform(command, try engine())
        case .secretInspect: try SecretInspectVerb.perform(command, try engine())
        case .secretRemove: try SecretRemoveVerb.perform(command, try engine())
        case .systemBoot: try SystemBootVerb.perform(command, try engine())
        case .systemInstall: try SystemInstallVerb.perform(command)
        case .systemUninstall: try SystemUninstallVerb.perform(command)
        case .info: try InfoVerb.perform(command, try engine())
        case .internal: try InternalVerb.perform(command, try engine())
        }
    })
