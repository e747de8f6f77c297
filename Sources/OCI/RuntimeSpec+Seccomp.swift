extension RuntimeSpec {
    /// config-linux.md, "Seccomp": a filter with everything decided.
    package struct Seccomp: Hashable, Sendable, Encodable {
        package enum Action: String, Hashable, Sendable, Codable {
            case kill = "SCMP_ACT_KILL"
            case killProcess = "SCMP_ACT_KILL_PROCESS"
            case killThread = "SCMP_ACT_KILL_THREAD"
            case trap = "SCMP_ACT_TRAP"
            case errno = "SCMP_ACT_ERRNO"
            case trace = "SCMP_ACT_TRACE"
            case allow = "SCMP_ACT_ALLOW"
            case log = "SCMP_ACT_LOG"
            case notify = "SCMP_ACT_NOTIFY"

            /// A number can be said with it.
            var hasErrno: Bool { self == .errno || self == .trace }
        }

        package enum Flag: String, Hashable, Sendable, Codable {
            case tsync = "SECCOMP_FILTER_FLAG_TSYNC"
            case log = "SECCOMP_FILTER_FLAG_LOG"
            case specAllow = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
            case waitKillableRecv = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"
        }

        package enum Comparison: String, Hashable, Sendable, Codable {
            case notEqual = "SCMP_CMP_NE"
            case less = "SCMP_CMP_LT"
            case lessOrEqual = "SCMP_CMP_LE"
            case equal = "SCMP_CMP_EQ"
            case greaterOrEqual = "SCMP_CMP_GE"
            case greater = "SCMP_CMP_GT"
            /// (argument & value) == valueTwo
            case maskedEqual = "SCMP_CMP_MASKED_EQ"
        }

        package struct Argument: Hashable, Sendable, Codable {
            /// 0...5
            package var index: UInt32
            package var value: UInt64
            package var valueTwo: UInt64?
            package var op: Comparison

            package init(index: UInt32, value: UInt64, valueTwo: UInt64? = nil, op: Comparison) {
                self.index = index
                self.value = value
                self.valueTwo = valueTwo
                self.op = op
            }
        }

        package struct Syscall: Hashable, Sendable, Encodable {
            package var names: [String]
            package var action: Action
            package var errnoRet: UInt32?
            /// All must hold.
            package var args: [Argument]?

            package init(
                names: [String], action: Action, errnoRet: UInt32? = nil, args: [Argument]? = nil
            ) {
                self.names = names
                self.action = action
                self.errnoRet = errnoRet
                self.args = args
            }
        }

        package var defaultAction: Action
        package var defaultErrnoRet: UInt32?
        /// libseccomp's names, `SCMP_ARCH_X86_64`; empty or nil: the running one's alone.
        package var architectures: [String]?
        package var flags: [Flag]?
        package var listenerPath: String?
        package var listenerMetadata: String?
        package var syscalls: [Syscall]?

        package init(defaultAction: Action) {
            self.defaultAction = defaultAction
        }

        /// A listener is asked about some system calls.
        package var notifies: Bool {
            defaultAction == .notify || (syscalls ?? []).contains { $0.action == .notify }
        }
    }
}
