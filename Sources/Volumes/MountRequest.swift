package import Failure

/// What a `-v`, `--mount` or `--tmpfs` asks for, before any volume is looked at.
package struct MountRequest: Equatable, Sendable {
    package enum Source: Equatable, Sendable {
        /// Nil: a new anonymous one.
        case volume(name: String?)
        /// An absolute path of the host. `createsSource`: a directory is made where nothing is, as `-v` does.
        case bind(path: String, createsSource: Bool)
        case tmpfs
    }

    /// What a read-only bind does to the mounts below it (`bind-recursive`).
    package enum Recursion: Equatable, Sendable {
        /// They are there, and read-only too as far as the kernel can.
        case enabled
        /// They are not there.
        case disabled
        /// They are there and writable.
        case writable
        /// They are there and read-only, or the mount fails.
        case readOnly
    }

    package var source: Source
    /// Absolute, without `.`, `..` or a slash at its end, and not `/`.
    package var target: String
    package var isReadOnly = false
    /// `rprivate`, `private`, `rshared`, `shared`, `rslave`, `slave`; nil for the default, rprivate.
    package var propagation: String?
    package var recursion = Recursion.enabled
    /// `z`: an SELinux label that all containers may use; `Z`: the container's own; nil: as it is.
    package var relabeling: String?
    /// Mount options of a tmpfs in the runtime-spec's words: `nosuid`, `size=64m`, `mode=1777`.
    package var options: [String] = []
    /// A path below the volume's directory to mount in its place; empty for the directory itself.
    package var subpath = ""
    /// The volume is not filled from the image (`nocopy`).
    package var isNeverFilled = false
    /// What is mounted is given to the container's user (`U`).
    package var changesOwner = false
    /// `idmap`: owners are seen through a mapping; empty for that of the container's user namespace.
    package var idMapping: String?
    /// What a volume that does not exist yet is made with.
    package var labels: [KeyAndValue] = []
    package var driverOptions: [KeyAndValue] = []

    package init(source: Source, target: String) {
        self.source = source
        self.target = target
    }

    package struct KeyAndValue: Equatable, Sendable {
        package let key: String
        package let value: String

        package init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    static let propagations = ["private", "rprivate", "shared", "rshared", "slave", "rslave"]
}

extension MountRequest {
    /// All that a command line asks for, in its order. Throws `.invalidArgument` with the flag and its value, also when two
    /// of them have the same target.
    ///
    /// - Parameter workingDirectory: absolute; for host paths that begin with a dot.
    package static func all(
        volumes: [String], mounts: [String], tmpfs: [String], workingDirectory: String
    ) throws(Failure) -> [MountRequest] {
        var requests: [MountRequest] = []
        func add(
            _ flag: String, _ text: String, _ parse: () throws(Failure) -> MountRequest
        ) throws(Failure) {
            do throws(Failure) {
                let request = try parse()
                guard !requests.contains(where: { $0.target == request.target }) else {
                    throw Failure(.invalidArgument, "something else is mounted at \(request.target) already")
                }
                requests.append(request)
            } catch {
                throw Failure(
                    error.code, "invalid argument \"\(text)\" for \"\(flag)\" flag: \(error.message)",
                    hint: error.hint, cause: error.cause)
            }
        }
        for text in volumes {
            try add("-v, --volume", text) { () throws(Failure) in
                try MountRequest(volume: text, workingDirectory: workingDirectory)
            }
        }
        for text in mounts {
            try add("--mount", text) { () throws(Failure) in
                try MountRequest(mount: text, workingDirectory: workingDirectory)
            }
        }
        for text in tmpfs {
            try add("--tmpfs", text) { () throws(Failure) in try MountRequest(tmpfs: text) }
        }
        return requests
    }
}
