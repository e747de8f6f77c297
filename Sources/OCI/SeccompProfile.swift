package import Failure

/// A seccomp profile as docker's and podman's `--security-opt seccomp=FILE` reads it: rules with conditions on
/// capabilities, architecture and kernel, which `resolved` decides.
package struct SeccompProfile: Hashable, Sendable, Codable {
    package var defaultAction: RuntimeSpec.Seccomp.Action
    package var defaultErrnoRet: UInt32?
    /// Podman's form of the same, by name: `EPERM`.
    package var defaultErrno: String?
    /// Either a fixed list, or `archMap`.
    package var architectures: [String]?
    package var archMap: [Architecture]?
    package var flags: [RuntimeSpec.Seccomp.Flag]?
    package var listenerPath: String?
    package var listenerMetadata: String?
    package var syscalls: [Rule]?

    package init(defaultAction: RuntimeSpec.Seccomp.Action) {
        self.defaultAction = defaultAction
    }

    /// - Throws: `invalidArgument` with the path of the field at fault.
    package init(bytes: [UInt8]) throws(Failure) {
        self = try JSON.decode(SeccompProfile.self, from: bytes, as: "seccomp profile")
    }

    /// What else a machine of an architecture can run.
    package struct Architecture: Hashable, Sendable, Codable {
        package var architecture: String
        package var subArchitectures: [String]?

        package init(architecture: String, subArchitectures: [String]? = nil) {
            self.architecture = architecture
            self.subArchitectures = subArchitectures
        }
    }

    package struct Rule: Hashable, Sendable, Codable {
        /// The old form, for one name.
        package var name: String?
        package var names: [String]?
        package var action: RuntimeSpec.Seccomp.Action
        package var errnoRet: UInt32?
        /// Podman's form of the same, by name.
        package var errno: String?
        package var args: [RuntimeSpec.Seccomp.Argument]?
        package var comment: String?
        package var includes: Condition?
        package var excludes: Condition?

        package init(
            names: [String], action: RuntimeSpec.Seccomp.Action, errnoRet: UInt32? = nil,
            args: [RuntimeSpec.Seccomp.Argument]? = nil, includes: Condition? = nil,
            excludes: Condition? = nil
        ) {
            self.names = names
            self.action = action
            self.errnoRet = errnoRet
            self.args = args
            self.includes = includes
            self.excludes = excludes
        }
    }

    package struct Condition: Hashable, Sendable, Codable {
        /// `CAP_SYS_ADMIN`
        package var caps: [String]?
        /// Go's names, with `x86` for 386: `amd64`, `arm64`.
        package var arches: [String]?
        /// `4.8`
        package var minKernel: String?

        package init(caps: [String]? = nil, arches: [String]? = nil, minKernel: String? = nil) {
            self.caps = caps
            self.arches = arches
            self.minKernel = minKernel
        }
    }
}
