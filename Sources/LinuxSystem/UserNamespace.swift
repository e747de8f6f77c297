internal import CLinux
internal import Glibc

/// The user namespace that this process is in (user_namespaces(7)). Read once: a process enters another before it asks.
package enum UserNamespace {
    package struct Range: Sendable, Equatable {
        package let inside: UInt32
        package let outside: UInt32
        package let count: UInt32

        package init(inside: UInt32, outside: UInt32, count: UInt32) {
            self.inside = inside
            self.outside = outside
            self.count = count
        }
    }

    /// One that maps every id to itself is the first.
    package static let uids = map("/proc/self/uid_map")
    package static let gids = map("/proc/self/gid_map")

    package static let isNested = !(uids.ranges.count == 1 && uids.ranges[0].count == UInt32.max)

    /// There is one id, and nothing can be given to another: every file belongs to it.
    package static let hasOneID = isNested && uids.ranges.reduce(0) { $0 + UInt64($1.count) } == 1

    /// Who this process's user is outside.
    package static var outerUID: UInt32 { uids.outside(Process.effectiveUID) ?? Process.effectiveUID }
    package static var outerGID: UInt32 { gids.outside(Process.effectiveGID) ?? Process.effectiveGID }

    private static func map(_ path: String) -> IDMap {
        let bytes = (try? AtomicFile.read(path, limit: 1 << 16)) ?? nil
        let lines = String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n").map(String.init)
        return IDMap(lines: lines) ?? IDMap([])
    }

    /// Joins the user and the mount namespace of a process that this user owns; this process has one thread.
    package static func join(_ process: borrowing FileDescriptor) throws(SystemError) {
        let number = process.raw
        try call("setns") { ctr_setns(number, 0x1000_0000 | 0x2_0000) }
    }

    /// Joins a user namespace, with mounts of this process's own that belong to it; this process has one thread.
    package static func enter(_ namespace: borrowing FileDescriptor) throws(SystemError) {
        let number = namespace.raw
        try call("setns") { ctr_setns(number, 0x1000_0000) }
        try call("unshare") { ctr_unshare(0x2_0000) }
    }

    /// New user and mount namespaces for this process, without a mapping yet; this process has one thread.
    package static func make() throws(SystemError) {
        try call("unshare") { ctr_unshare(0x1000_0000 | 0x2_0000) }
    }
}

extension Process {
    package static func setEnvironment(_ name: String, _ value: String) { setenv(name, value, 1) }
}
