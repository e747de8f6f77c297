internal import CLinux
internal import Glibc

/// The user namespace that this process is in (user_namespaces(7)). Read once: a process enters another before it asks.
package enum UserNamespace {
    package struct Range: Sendable, Equatable {
        package let inside: UInt32
        package let outside: UInt32
        package let count: UInt32
    }

    /// Of uids. One that maps every id to itself is the first.
    package static let uids = ranges("/proc/self/uid_map")

    package static let isNested = !(uids.count == 1 && uids[0].count == UInt32.max)

    /// There is one id, and nothing can be given to another: every file belongs to it.
    package static let hasOneID = isNested && uids.reduce(0) { $0 + UInt64($1.count) } == 1

    /// Who this process's user is outside.
    package static var outerUID: UInt32 {
        let own = ctr_geteuid()
        return uids.first { own >= $0.inside && own - $0.inside < $0.count }.map {
            own - $0.inside + $0.outside
        } ?? own
    }

    private static func ranges(_ path: String) -> [Range] {
        guard let bytes = (try? AtomicFile.read(path, limit: 1 << 16)) ?? nil else { return [] }
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let numbers = line.split(separator: UInt8(ascii: " ")).compactMap {
                UInt32(String(decoding: $0, as: UTF8.self))
            }
            guard numbers.count == 3 else { return nil }
            return Range(inside: numbers[0], outside: numbers[1], count: numbers[2])
        }
    }

    /// Joins the user and the mount namespace of a process that this user owns; this process has one thread.
    package static func join(_ process: borrowing FileDescriptor) throws(SystemError) {
        let number = process.raw
        try call("setns") { ctr_setns(number, 0x1000_0000 | 0x2_0000) }
    }

    /// New user and mount namespaces for this process, without a mapping yet; this process has one thread.
    package static func make() throws(SystemError) {
        try call("unshare") { ctr_unshare(0x1000_0000 | 0x2_0000) }
    }
}

extension Process {
    package static func setEnvironment(_ name: String, _ value: String) { setenv(name, value, 1) }
}
