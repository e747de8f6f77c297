package import LinuxSystem
package import OCI

/// What the flags of `run` and `create` mean, parsed and with the image's settings merged in: the input of
/// `SpecBuilder`.
package struct SpecOptions: Sendable {
    package enum NamespaceMode: Sendable, Equatable {
        case `private`
        /// The host's own.
        case host
        /// Another container's, by a namespace file: `/proc/4711/ns/net`.
        case joined(path: String)
        /// ipc only: private, but others may join.
        case shareable
        /// ipc: private and without /dev/shm; network: private with loopback alone.
        case none
    }

    package struct Namespaces: Sendable {
        package var pid = NamespaceMode.private
        package var ipc = NamespaceMode.private
        package var uts = NamespaceMode.private
        package var cgroup = NamespaceMode.private
        package var network = NamespaceMode.private
        package var time = NamespaceMode.private
        package var user = NamespaceMode.host

        package init() {}
    }

    package enum Seccomp: Sendable, Equatable {
        /// docker's default profile.
        case builtin
        case unconfined
        case profile(SeccompProfile)
    }

    package struct Limit: Sendable, Equatable {
        /// `nofile`, as `--ulimit` has it.
        package var name: String
        /// `UInt64.max` is unlimited.
        package var soft, hard: UInt64

        package init(name: String, soft: UInt64, hard: UInt64) {
            self.name = name
            self.soft = soft
            self.hard = hard
        }
    }

    /// A device of the host (`--device`), its node's numbers looked up.
    package struct Device: Sendable, Equatable {
        package var pathInContainer: String
        package var kind: RuntimeSpec.Device.Kind
        package var major, minor: Int64
        package var permissions: String
        package var fileMode: UInt32
        package var uid, gid: UInt32

        package init(
            pathInContainer: String, kind: RuntimeSpec.Device.Kind, major: Int64, minor: Int64,
            permissions: String = "rwm", fileMode: UInt32 = 0o666, uid: UInt32 = 0, gid: UInt32 = 0
        ) {
            self.pathInContainer = pathInContainer
            self.kind = kind
            self.major = major
            self.minor = minor
            self.permissions = permissions
            self.fileMode = fileMode
            self.uid = uid
            self.gid = gid
        }
    }

    /// Sizes in bytes, times in microseconds; nil where the flag was not given.
    package struct Resources: Sendable {
        package var memory: Int64?
        package var memoryReservation: Int64?
        /// Memory and swap together; -1 is unlimited.
        package var memorySwap: Int64?
        package var memorySwappiness: Int64?
        package var oomKillDisable = false
        /// `--cpus`, in billionths of a CPU, so that 1.5 is exact.
        package var nanoCPUs: Int64?
        package var cpuPeriod: UInt64?
        package var cpuQuota: Int64?
        package var cpuShares: UInt64?
        package var cpuRealtimePeriod: UInt64?
        package var cpuRealtimeRuntime: Int64?
        package var cpusetCPUs: String?
        package var cpusetNodes: String?
        /// 0 and -1 are unlimited.
        package var pidsLimit: Int64?
        package var blkioWeight: UInt16?
        package var blkioWeightDevices: [RuntimeSpec.BlockIO.WeightDevice] = []
        package var readBytesPerSecond: [RuntimeSpec.BlockIO.ThrottleDevice] = []
        package var writeBytesPerSecond: [RuntimeSpec.BlockIO.ThrottleDevice] = []
        package var readOperationsPerSecond: [RuntimeSpec.BlockIO.ThrottleDevice] = []
        package var writeOperationsPerSecond: [RuntimeSpec.BlockIO.ThrottleDevice] = []
        /// What the machine has, to refuse more CPUs than that; nil: not checked.
        package var cpusAvailable: Int?

        package init() {}
    }

    /// argv: entrypoint and command together.
    package var arguments: [String] = []
    /// NAME=VALUE of image and flags, the flags' last; a NAME alone removes it.
    package var environment: [String] = []
    package var workingDirectory = "/"
    package var user = UserIdentity()
    package var hostname = ""
    package var domainname = ""
    package var terminal = false
    package var rows: UInt16 = 0
    package var columns: UInt16 = 0
    package var capAdd: [String] = []
    package var capDrop: [String] = []
    package var privileged = false
    /// `--security-opt` values but `seccomp=…`, which needs a file read: see `seccomp`.
    package var securityOptions: [String] = []
    package var seccomp = Seccomp.builtin
    /// The profile of a container that names none and is not privileged; nil: none.
    package var defaultAppArmorProfile: String?
    /// SELinux contexts; empty: what the policy makes of it.
    package var processLabel = ""
    package var mountLabel = ""
    package var readOnlyRoot = false
    package var limits: [Limit] = []
    package var sysctls: [String: String] = [:]
    package var devices: [Device] = []
    /// Every device of the host's /dev, for `--privileged`.
    package var hostDevices: [Device] = []
    /// `--device-cgroup-rule` values: `c 1:3 rwm`.
    package var deviceRules: [String] = []
    package var namespaces = Namespaces()
    /// The ids of the container's user namespace; nil without one.
    package var ids: UserMaps?
    package var shmSize: UInt64 = ContainerDefaults.shmSize
    package var resources = Resources()
    package var oomScoreAdjustment = 0
    package var annotations: [String: String] = [:]
    /// Binds, volumes and tmpfs of the user, and /etc/hosts and its kin: they come after the default mounts, and
    /// replace those with the same destination.
    package var mounts: [RuntimeSpec.Mount] = []
    /// Also known to the environment as HOSTNAME; the short id where `--hostname` is not given.
    package init() {}
}
