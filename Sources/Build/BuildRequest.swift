package import Engine

/// What `ctr build` is asked for.
package struct BuildRequest: Sendable {
    package enum Context: Sendable, Equatable {
        case directory(String)
        /// A tar, compressed or not, or a Dockerfile alone: told by the bytes.
        case standardInput
        case git(String)
        /// An address of a tar or of a Dockerfile.
        case address(String)
    }

    package var context: Context
    /// `-f`: a path; `-` is standard input; nil: `Dockerfile` in the context.
    package var dockerfile: String?
    /// `-t`
    package var names: [String] = []
    package var arguments: [String: String] = [:]
    package var target: String?
    package var platform: String?
    package var labels: [String: String] = [:]
    package var annotations: [String: String] = [:]
    package var ignoresCache = false
    /// `--no-cache-filter`: stages by name.
    package var uncachedStages: Set<String> = []
    /// Base images are looked for at their registries though they are here.
    package var pulls = false
    /// `--explain`
    package var explains = false
    package var network = StepRequest.Network.named("bridge")
    package var secrets: [SecretSource] = []
    package var agents: [AgentSource] = []
    /// `--build-context NAME=…`
    package var contexts: [String: String] = [:]
    /// `name:address`
    package var extraHosts: [String] = []
    package var shmSize: UInt64?
    package var ulimits: [String] = []
    package var outputs: [BuildOutput] = []
    package var imageIDFile: String?
    package var metadataFile: String?
    package var cacheSources: [CacheLocation] = []
    package var cacheTargets: [CacheLocation] = []
    /// SOURCE_DATE_EPOCH of the caller's environment.
    package var sourceDateEpoch: String?

    package init(context: Context) { self.context = context }
}

/// `--secret id=…,src=…` or `env=…`
package struct SecretSource: Sendable {
    package enum Origin: Sendable { case file(String), environment(String) }

    package var id: String
    package var origin: Origin

    package init(id: String, origin: Origin) {
        self.id = id
        self.origin = origin
    }
}

/// `--ssh ID[=socket or keys]`
package struct AgentSource: Sendable {
    package var id: String
    package var socket: String

    package init(id: String, socket: String) {
        self.id = id
        self.socket = socket
    }
}

/// `--output type=…`
package struct BuildOutput: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable { case image, oci, docker, tar, local }

    package var kind: Kind
    /// A file, or a directory for `local`; nil: the store for images, standard output for the others.
    package var destination: String?
    package var names: [String] = []
    package var pushes = false

    package init(_ kind: Kind, destination: String? = nil) {
        self.kind = kind
        self.destination = destination
    }
}

/// `--cache-from` and `--cache-to type=…`
package struct CacheLocation: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case registry(String)
        case local(String)
    }

    package var kind: Kind
    /// Every step's layer, not those of the image alone.
    package var isMaximal = false

    package init(_ kind: Kind) { self.kind = kind }
}
