extension RuntimeSpec {
    /// Cgroup limits, by cgroup v1's names; `unified` is cgroup v2's files as they are.
    package struct Resources: Hashable, Sendable, Encodable {
        package var devices: [DeviceRule]?
        package var memory: Memory?
        package var cpu: CPU?
        package var pids: Pids?
        package var blockIO: BlockIO?
        package var hugepageLimits: [HugepageLimit]?
        package var network: Network?
        /// By device name.
        package var rdma: [String: Rdma]?
        /// File name (`memory.high`) to content.
        package var unified: [String: String]?

        package init() {}
    }

    /// One rule of the device list; nil means any.
    package struct DeviceRule: Hashable, Sendable, Encodable {
        package var allow: Bool
        /// `a`, `b` or `c`.
        package var type: String?
        package var major: Int64?
        package var minor: Int64?
        /// Of `r`, `w`, `m`.
        package var access: String?

        package init(
            allow: Bool, type: String? = nil, major: Int64? = nil, minor: Int64? = nil, access: String? = nil
        ) {
            self.allow = allow
            self.type = type
            self.major = major
            self.minor = minor
            self.access = access
        }
    }

    /// Bytes; -1 is unlimited.
    package struct Memory: Hashable, Sendable, Encodable {
        package var limit: Int64?
        package var reservation: Int64?
        /// Memory plus swap.
        package var swap: Int64?
        package var kernel: Int64?
        package var kernelTCP: Int64?
        package var swappiness: UInt64?
        package var disableOOMKiller: Bool?
        package var useHierarchy: Bool?
        package var checkBeforeUpdate: Bool?

        package init() {}
    }

    /// Times are microseconds.
    package struct CPU: Hashable, Sendable, Encodable {
        package var shares: UInt64?
        package var quota: Int64?
        package var burst: UInt64?
        package var period: UInt64?
        package var realtimeRuntime: Int64?
        package var realtimePeriod: UInt64?
        package var cpus: String?
        package var mems: String?
        package var idle: Int64?

        package init() {}
    }

    package struct Pids: Hashable, Sendable, Encodable {
        /// 0 and below: unlimited, as docker has it.
        package var limit: Int64

        package init(limit: Int64) {
            self.limit = limit
        }
    }

    package struct BlockIO: Hashable, Sendable, Encodable {
        package struct WeightDevice: Hashable, Sendable, Encodable {
            package var major: Int64
            package var minor: Int64
            package var weight: UInt16?
            package var leafWeight: UInt16?

            package init(major: Int64, minor: Int64, weight: UInt16? = nil, leafWeight: UInt16? = nil) {
                self.major = major
                self.minor = minor
                self.weight = weight
                self.leafWeight = leafWeight
            }
        }

        package struct ThrottleDevice: Hashable, Sendable, Encodable {
            package var major: Int64
            package var minor: Int64
            /// Bytes or operations a second.
            package var rate: UInt64?

            package init(major: Int64, minor: Int64, rate: UInt64) {
                self.major = major
                self.minor = minor
                self.rate = rate
            }
        }

        package var weight: UInt16?
        package var leafWeight: UInt16?
        package var weightDevice: [WeightDevice]?
        package var throttleReadBpsDevice: [ThrottleDevice]?
        package var throttleWriteBpsDevice: [ThrottleDevice]?
        package var throttleReadIOPSDevice: [ThrottleDevice]?
        package var throttleWriteIOPSDevice: [ThrottleDevice]?

        package init() {}
    }

    package struct HugepageLimit: Hashable, Sendable, Encodable {
        /// `2MB`, `64KB`, `1GB`
        package var pageSize: String
        /// Bytes.
        package var limit: UInt64

        package init(pageSize: String, limit: UInt64) {
            self.pageSize = pageSize
            self.limit = limit
        }
    }

    package struct Network: Hashable, Sendable, Encodable {
        package struct Priority: Hashable, Sendable, Encodable {
            package var name: String
            package var priority: UInt32

            package init(name: String, priority: UInt32) {
                self.name = name
                self.priority = priority
            }
        }

        package var classID: UInt32?
        package var priorities: [Priority]?

        package init() {}
    }

    package struct Rdma: Hashable, Sendable, Encodable {
        package var hcaHandles: UInt32?
        package var hcaObjects: UInt32?

        package init(hcaHandles: UInt32? = nil, hcaObjects: UInt32? = nil) {
            self.hcaHandles = hcaHandles
            self.hcaObjects = hcaObjects
        }
    }
}
