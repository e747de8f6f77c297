/// What `ctr` is asked to do. The raw value is the words as they are typed after `ctr`, the same as docker's.
///
/// A new verb is a case here, an entry in `VerbDescription`'s tables (the compiler insists) and a file under Sources/ctr.
package enum Verb: String, CaseIterable, Sendable {
    case run
    case create
    case start
    case stop
    case restart
    case kill
    case rm
    case ps
    case logs
    case exec
    case attach
    case wait
    case inspect
    case rename
    case update
    case pause
    case unpause
    case stats
    case top
    case events
    case cp
    case diff
    case export
    case bundle
    case port

    case build
    case pull
    case push
    case images
    case rmi
    case tag
    case history
    case `import`
    case save
    case load
    case login
    case logout

    case builderDiskUsage = "builder df"
    case builderPrune = "builder prune"

    case imageInspect = "image inspect"
    case imagePrune = "image prune"
    case containerInspect = "container inspect"

    case networkCreate = "network create"
    case networkList = "network ls"
    case networkInspect = "network inspect"
    case networkRemove = "network rm"
    case networkPrune = "network prune"
    case networkConnect = "network connect"
    case networkDisconnect = "network disconnect"
    case networkReload = "network reload"

    case volumeCreate = "volume create"
    case volumeList = "volume ls"
    case volumeInspect = "volume inspect"
    case volumeRemove = "volume rm"
    case volumePrune = "volume prune"

    case ociCreate = "oci create"
    case ociRun = "oci run"
    case ociStart = "oci start"
    case ociState = "oci state"
    case ociKill = "oci kill"
    case ociDelete = "oci delete"
    case ociExec = "oci exec"
    case ociPs = "oci ps"
    case ociList = "oci list"
    case ociPause = "oci pause"
    case ociResume = "oci resume"
    case ociSpec = "oci spec"
    case ociFeatures = "oci features"
    case ociUpdate = "oci update"
    case ociEvents = "oci events"

    case healthcheckRun = "healthcheck run"

    case secretCreate = "secret create"
    case secretList = "secret ls"
    case secretInspect = "secret inspect"
    case secretRemove = "secret rm"

    case systemBoot = "system boot"
    case systemInstall = "system install"
    case systemUninstall = "system uninstall"

    case doctor
    case version
    case info
    case completion
    case help

    /// A word that begins with `__`: what ctr starts itself for (adopting a monitor, emptying the trash). Its words are not
    /// parsed: all of them, the name first, are the positionals. No list shows it.
    case `internal` = "__"
}

extension Verb {
    /// The exit code of a usage failure or of ctr's own failure. Verbs that answer with the exit code of a command keep theirs
    /// apart from it by 125, as docker does; everywhere else it is 1.
    package var usageExitCode: Int32 {
        switch self {
        case .run, .create, .exec, .start, .attach, .internal: 125
        default: 1
        }
    }

    /// `ctr volume create`: how messages and help name the verb.
    package var commandPath: String { "ctr \(rawValue)" }
}

extension Verb {
    /// Other words for the same verb, as docker has them. Read only when the words are not themselves a verb.
    static let aliases: [(words: String, verb: Verb)] = [
        ("container run", .run), ("container create", .create), ("container start", .start),
        ("container stop", .stop), ("container restart", .restart), ("container kill", .kill),
        ("container rm", .rm), ("container remove", .rm),
        ("container ls", .ps), ("container list", .ps), ("container ps", .ps),
        ("container logs", .logs), ("container exec", .exec), ("container attach", .attach),
        ("container wait", .wait), ("container rename", .rename), ("container cp", .cp),
        ("container diff", .diff), ("container export", .export),
        ("container update", .update), ("container pause", .pause), ("container unpause", .unpause),
        ("container stats", .stats), ("container top", .top), ("container port", .port),
        ("system events", .events),
        ("image build", .build), ("builder build", .build), ("image pull", .pull), ("image push", .push),
        ("image ls", .images), ("image list", .images),
        ("image rm", .rmi), ("image remove", .rmi),
        ("image tag", .tag), ("image save", .save), ("image load", .load),
        ("image history", .history), ("image import", .import),
        ("secret list", .secretList), ("secret remove", .secretRemove), ("system info", .info),
        ("volume list", .volumeList), ("volume remove", .volumeRemove),
        ("network list", .networkList), ("network remove", .networkRemove),
    ]

    /// The verb of these words (`run`, `image ls`), or nil. Internal verbs are not found by name.
    package init?(words: String) {
        // Not by init(rawValue:), which first builds a dictionary of all cases: this is on the path of every start.
        if let verb = Verb.allCases.first(where: { $0.rawValue == words && $0 != .internal }) {
            self = verb
        } else if let alias = Verb.aliases.first(where: { $0.words == words }) {
            self = alias.verb
        } else {
            return nil
        }
    }
}
