extension RuntimeSpec {
    package struct Process: Hashable, Sendable, Encodable {
        package var terminal: Bool?
        package var consoleSize: ConsoleSize?
        package var user: User?
        /// Required by `start`, not by `create`.
        package var args: [String]?
        package var env: [String]?
        package var cwd: String
        package var capabilities: Capabilities?
        package var rlimits: [Rlimit]?
        package var noNewPrivileges: Bool?
        package var apparmorProfile: String?
        package var selinuxLabel: String?
        package var oomScoreAdj: Int?
        package var scheduler: Scheduler?
        package var ioPriority: IOPriority?
        package var execCPUAffinity: ExecCPUAffinity?

        package init(
            args: [String]? = nil, env: [String]? = nil, cwd: String = "/", user: User? = User(),
            terminal: Bool? = nil
        ) {
            self.args = args
            self.env = env
            self.cwd = cwd
            self.user = user
            self.terminal = terminal
        }
    }

    package struct ConsoleSize: Hashable, Sendable, Encodable {
        package var height: UInt64
        package var width: UInt64

        package init(height: UInt64, width: UInt64) {
            self.height = height
            self.width = width
        }
    }

    package struct User: Hashable, Sendable, Encodable {
        package var uid: UInt32?
        package var gid: UInt32?
        package var umask: UInt32?
        package var additionalGids: [UInt32]?

        package init(
            uid: UInt32 = 0, gid: UInt32 = 0, umask: UInt32? = nil, additionalGids: [UInt32]? = nil
        ) {
            self.uid = uid
            self.gid = gid
            self.umask = umask
            self.additionalGids = additionalGids
        }
    }

    /// Names as in capabilities(7): `CAP_CHOWN`.
    package struct Capabilities: Hashable, Sendable, Encodable {
        package var bounding: [String]?
        package var effective: [String]?
        package var permitted: [String]?
        package var inheritable: [String]?
        package var ambient: [String]?

        package init(
            bounding: [String]? = nil, effective: [String]? = nil, permitted: [String]? = nil,
            inheritable: [String]? = nil, ambient: [String]? = nil
        ) {
            self.bounding = bounding
            self.effective = effective
            self.permitted = permitted
            self.inheritable = inheritable
            self.ambient = ambient
        }
    }

    package struct Rlimit: Hashable, Sendable, Encodable {
        /// `RLIMIT_NOFILE`
        package var type: String
        /// `UInt64.max` is RLIM_INFINITY.
        package var soft: UInt64
        package var hard: UInt64

        package init(type: String, soft: UInt64, hard: UInt64) {
            self.type = type
            self.soft = soft
            self.hard = hard
        }
    }

    /// sched_setattr(2).
    package struct Scheduler: Hashable, Sendable, Encodable {
        package enum Policy: String, Hashable, Sendable, Encodable {
            case other = "SCHED_OTHER"
            case fifo = "SCHED_FIFO"
            case roundRobin = "SCHED_RR"
            case batch = "SCHED_BATCH"
            case iso = "SCHED_ISO"
            case idle = "SCHED_IDLE"
            case deadline = "SCHED_DEADLINE"
        }

        package enum Flag: String, Hashable, Sendable, Encodable {
            case resetOnFork = "SCHED_FLAG_RESET_ON_FORK"
            case reclaim = "SCHED_FLAG_RECLAIM"
            case deadlineOverrun = "SCHED_FLAG_DL_OVERRUN"
            case keepPolicy = "SCHED_FLAG_KEEP_POLICY"
            case keepParams = "SCHED_FLAG_KEEP_PARAMS"
            case utilClampMin = "SCHED_FLAG_UTIL_CLAMP_MIN"
            case utilClampMax = "SCHED_FLAG_UTIL_CLAMP_MAX"
        }

        package var policy: Policy
        package var nice: Int32?
        package var priority: Int32?
        package var flags: [Flag]?
        /// Nanoseconds, as `deadline` and `period`.
        package var runtime: UInt64?
        package var deadline: UInt64?
        package var period: UInt64?

        package init(policy: Policy) {
            self.policy = policy
        }
    }

    /// ioprio_set(2).
    package struct IOPriority: Hashable, Sendable, Encodable {
        package enum Class: String, Hashable, Sendable, Encodable {
            case realtime = "IOPRIO_CLASS_RT"
            case bestEffort = "IOPRIO_CLASS_BE"
            case idle = "IOPRIO_CLASS_IDLE"
        }

        package var `class`: Class
        package var priority: Int32?

        package init(_ class: Class, priority: Int32? = nil) {
            self.class = `class`
            self.priority = priority
        }
    }

    /// CPU lists (`0-3,7`) for a process that joins: before and after it enters the cgroup.
    package struct ExecCPUAffinity: Hashable, Sendable, Encodable {
        package var initial: String?
        package var final: String?

        package init(initial: String? = nil, final: String? = nil) {
            self.initial = initial
            self.final = final
        }
    }
}
