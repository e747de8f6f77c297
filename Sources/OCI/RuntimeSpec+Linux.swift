extension RuntimeSpec {
    package struct Linux: Hashable, Sendable, Encodable {
        package var uidMappings: [IDMapping]?
        package var gidMappings: [IDMapping]?
        package var timeOffsets: TimeOffsets?
        package var sysctl: [String: String]?
        package var resources: Resources?
        package var cgroupsPath: String?
        package var namespaces: [Namespace]?
        /// Network devices of the runtime's namespace to move into the container's, by name.
        package var netDevices: [String: NetDevice]?
        package var devices: [Device]?
        package var seccomp: Seccomp?
        /// `private`, `shared`, `slave` or `unbindable`, also with `r` before it, as docker writes it.
        package var rootfsPropagation: String?
        package var maskedPaths: [String]?
        package var readonlyPaths: [String]?
        package var mountLabel: String?
        package var intelRdt: IntelRdt?
        package var memoryPolicy: MemoryPolicy?
        package var personality: Personality?

        package init() {}
    }

    package struct Namespace: Hashable, Sendable, Encodable {
        package enum Kind: String, Hashable, Sendable, Encodable, CaseIterable {
            case mount, pid, network, uts, ipc, user, cgroup, time
        }

        package var type: Kind
        /// An existing namespace to join; nil for a new one.
        package var path: String?

        package init(_ type: Kind, path: String? = nil) {
            self.type = type
            self.path = path
        }
    }

    package struct TimeOffsets: Hashable, Sendable, Encodable {
        package struct Offset: Hashable, Sendable, Encodable {
            package var secs: Int64?
            package var nanosecs: UInt32?

            package init(secs: Int64? = nil, nanosecs: UInt32? = nil) {
                self.secs = secs
                self.nanosecs = nanosecs
            }
        }

        package var monotonic: Offset?
        package var boottime: Offset?

        package init(monotonic: Offset? = nil, boottime: Offset? = nil) {
            self.monotonic = monotonic
            self.boottime = boottime
        }
    }

    package struct NetDevice: Hashable, Sendable, Encodable {
        /// Its name in the container; nil keeps it.
        package var name: String?

        package init(name: String? = nil) {
            self.name = name
        }
    }

    package struct Device: Hashable, Sendable, Encodable {
        package enum Kind: String, Hashable, Sendable, Encodable {
            case character = "c"
            case block = "b"
            case unbufferedCharacter = "u"
            case fifo = "p"
        }

        package var type: Kind
        package var path: String
        package var major: Int64?
        package var minor: Int64?
        package var fileMode: UInt32?
        package var uid: UInt32?
        package var gid: UInt32?

        package init(
            type: Kind, path: String, major: Int64? = nil, minor: Int64? = nil, fileMode: UInt32? = nil,
            uid: UInt32? = nil, gid: UInt32? = nil
        ) {
            self.type = type
            self.path = path
            self.major = major
            self.minor = minor
            self.fileMode = fileMode
            self.uid = uid
            self.gid = gid
        }
    }

    /// resctrl.
    package struct IntelRdt: Hashable, Sendable, Encodable {
        package var closID: String?
        package var schemata: [String]?
        package var l3CacheSchema: String?
        package var memBwSchema: String?
        package var enableMonitoring: Bool?

        package init() {}
    }

    /// set_mempolicy(2).
    package struct MemoryPolicy: Hashable, Sendable, Encodable {
        package enum Mode: String, Hashable, Sendable, Encodable {
            case `default` = "MPOL_DEFAULT"
            case bind = "MPOL_BIND"
            case interleave = "MPOL_INTERLEAVE"
            case weightedInterleave = "MPOL_WEIGHTED_INTERLEAVE"
            case preferred = "MPOL_PREFERRED"
            case preferredMany = "MPOL_PREFERRED_MANY"
            case local = "MPOL_LOCAL"
        }

        package enum Flag: String, Hashable, Sendable, Encodable {
            case numaBalancing = "MPOL_F_NUMA_BALANCING"
            case relativeNodes = "MPOL_F_RELATIVE_NODES"
            case staticNodes = "MPOL_F_STATIC_NODES"
        }

        package var mode: Mode?
        package var nodes: String?
        package var flags: [Flag]?

        package init(mode: Mode, nodes: String? = nil, flags: [Flag]? = nil) {
            self.mode = mode
            self.nodes = nodes
            self.flags = flags
        }
    }

    /// personality(2).
    package struct Personality: Hashable, Sendable, Encodable {
        package enum Domain: String, Hashable, Sendable, Encodable {
            case linux = "LINUX"
            case linux32 = "LINUX32"
        }

        package var domain: Domain?
        package var flags: [String]?

        package init(domain: Domain, flags: [String]? = nil) {
            self.domain = domain
            self.flags = flags
        }
    }
}
