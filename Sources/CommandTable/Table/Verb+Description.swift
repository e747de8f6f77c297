extension Verb {
    /// The verb's row of the table, built at each call: a start needs one row, not all.
    package var description: VerbDescription {
        switch self {
        case .run: .run
        case .create: .create
        case .start: .start
        case .stop: .stop
        case .restart: .restart
        case .kill: .kill
        case .rm: .rm
        case .ps: .ps
        case .logs: .logs
        case .exec: .exec
        case .attach: .attach
        case .wait: .wait
        case .inspect: .inspect
        case .rename: .rename
        case .cp: .cp
        case .diff: .diff
        case .export: .export
        case .bundle: .bundle
        case .build: .build
        case .builderDiskUsage: .builderDiskUsage
        case .builderPrune: .builderPrune
        case .pull: .pull
        case .push: .push
        case .images: .images
        case .rmi: .rmi
        case .tag: .tag
        case .history: .history
        case .import: .import
        case .save: .save
        case .load: .load
        case .login: .login
        case .logout: .logout
        case .imageInspect: .imageInspect
        case .imagePrune: .imagePrune
        case .containerInspect: .containerInspect
        case .volumeCreate: .volumeCreate
        case .volumeList: .volumeList
        case .volumeInspect: .volumeInspect
        case .volumeRemove: .volumeRemove
        case .volumePrune: .volumePrune
        case .version: .version
        case .info: .info
        case .completion: .completion
        case .help: .help
        case .internal: .internal
        }
    }
}
