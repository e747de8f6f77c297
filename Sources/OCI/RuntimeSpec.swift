/// A bundle's `config.json` (runtime-spec 1.3 config.md and config-linux.md), for Linux.
///
/// Optional is what the specification lets be absent. Fields it does not know, and those of other systems, are
/// tolerated when read and not kept. `check()` says whether a value can be run.
package struct RuntimeSpec: Hashable, Sendable, Encodable {
    /// The specification's version that ctr writes.
    package static let version = "1.3.0"

    package var ociVersion: String
    package var process: Process?
    package var root: Root?
    package var hostname: String?
    package var domainname: String?
    /// In the order in which they are mounted.
    package var mounts: [Mount]?
    package var hooks: Hooks?
    package var annotations: [String: String]?
    package var linux: Linux?

    package init(
        root: Root? = nil, process: Process? = nil, hostname: String? = nil, mounts: [Mount]? = nil,
        linux: Linux? = nil
    ) {
        ociVersion = RuntimeSpec.version
        self.root = root
        self.process = process
        self.hostname = hostname
        self.mounts = mounts
        self.linux = linux
    }
}

extension RuntimeSpec {
    package struct Root: Hashable, Sendable, Encodable {
        /// Absolute, or relative to the bundle.
        package var path: String
        package var readonly: Bool?

        package init(path: String, readonly: Bool? = nil) {
            self.path = path
            self.readonly = readonly
        }
    }

    package struct Mount: Hashable, Sendable, Encodable {
        package var destination: String
        package var type: String?
        package var source: String?
        package var options: [String]?
        /// Of an id-mapped mount.
        package var uidMappings: [IDMapping]?
        package var gidMappings: [IDMapping]?

        package init(
            destination: String, type: String? = nil, source: String? = nil, options: [String]? = nil,
            uidMappings: [IDMapping]? = nil, gidMappings: [IDMapping]? = nil
        ) {
            self.destination = destination
            self.type = type
            self.source = source
            self.options = options
            self.uidMappings = uidMappings
            self.gidMappings = gidMappings
        }
    }

    package struct IDMapping: Hashable, Sendable, Encodable {
        package var containerID: UInt32
        package var hostID: UInt32
        package var size: UInt32

        package init(containerID: UInt32, hostID: UInt32, size: UInt32) {
            self.containerID = containerID
            self.hostID = hostID
            self.size = size
        }
    }

    package struct Hooks: Hashable, Sendable, Encodable {
        /// Deprecated; runs before `createRuntime`, in the runtime's namespaces.
        package var prestart: [Hook]?
        package var createRuntime: [Hook]?
        package var createContainer: [Hook]?
        package var startContainer: [Hook]?
        package var poststart: [Hook]?
        package var poststop: [Hook]?

        package init() {}
    }

    package struct Hook: Hashable, Sendable, Encodable {
        package var path: String
        /// As for execv: the first is the program's name.
        package var args: [String]?
        package var env: [String]?
        /// Seconds.
        package var timeout: Int?

        package init(path: String, args: [String]? = nil, env: [String]? = nil, timeout: Int? = nil) {
            self.path = path
            self.args = args
            self.env = env
            self.timeout = timeout
        }
    }
}
