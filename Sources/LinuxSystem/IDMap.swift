internal import CLinux
package import Failure

/// One kind of ids of a user namespace: ranges of ids inside, and what each is outside (user_namespaces(7)).
package struct IDMap: Sendable, Equatable {
    package let ranges: [UserNamespace.Range]

    package init(_ ranges: [UserNamespace.Range]) { self.ranges = ranges }

    /// Lines of `INSIDE OUTSIDE COUNT`, as /proc/PID/uid_map has them; nil where one is none.
    package init?(lines: [String]) {
        var ranges: [UserNamespace.Range] = []
        for line in lines {
            let numbers = line.split(separator: " ").compactMap { UInt32($0) }
            guard numbers.count == 3 else { return nil }
            ranges.append(UserNamespace.Range(inside: numbers[0], outside: numbers[1], count: numbers[2]))
        }
        self.ranges = ranges
    }

    package var lines: [String] { ranges.map { "\($0.inside) \($0.outside) \($0.count)" } }

    /// nil for an id that nothing outside stands for.
    package func outside(_ id: UInt32) -> UInt32? {
        ranges.first { id >= $0.inside && id - $0.inside < $0.count }.map { id - $0.inside + $0.outside }
    }

    /// nil for an id that the namespace does not have.
    package func inside(_ id: UInt32) -> UInt32? {
        ranges.first { id >= $0.outside && id - $0.outside < $0.count }.map { id - $0.outside + $0.inside }
    }
}

/// The users and groups of a container's user namespace.
package struct UserMaps: Sendable, Equatable {
    package let uids: IDMap
    package let gids: IDMap

    package init(uids: IDMap, gids: IDMap) {
        self.uids = uids
        self.gids = gids
    }

    /// Who a file of the container belongs to, seen from outside.
    ///
    /// - Throws: `invalidArgument` for an owner that the namespace does not have.
    package func outside(uid: UInt32, gid: UInt32) throws(Failure) -> (uid: UInt32, gid: UInt32) {
        guard let uid = uids.outside(uid) else { throw UserMaps.unmapped("user", uid, uids) }
        guard let gid = gids.outside(gid) else { throw UserMaps.unmapped("group", gid, gids) }
        return (uid, gid)
    }

    /// The other way; what belongs to nobody in the container is shown as the kernel shows it there.
    package func inside(uid: UInt32, gid: UInt32) -> (uid: UInt32, gid: UInt32) {
        (uids.inside(uid) ?? UserNamespace.overflowID, gids.inside(gid) ?? UserNamespace.overflowID)
    }

    private static func unmapped(_ kind: String, _ id: UInt32, _ map: IDMap) -> Failure {
        Failure(
            .invalidArgument,
            "\(kind) \(id) is not in the container's user namespace",
            hint: "it has \(map.ranges.map(\.shown).joined(separator: ", ")): ask for more ids by --userns "
                + "auto:size=NUMBER or --uidmap and --gidmap")
    }
}

extension UserNamespace {
    /// What an id that is not mapped is shown as (/proc/sys/kernel/overflowuid).
    package static let overflowID: UInt32 = 65534
}

extension UserNamespace.Range {
    fileprivate var shown: String { count == 1 ? "\(inside)" : "\(inside) to \(inside + (count - 1))" }
}

/// Who the files belong to that a thread makes.
package enum FileOwner {
    /// For the calling thread alone, with the rights over others' files that it has (setfsuid(2), capabilities(7)).
    package static func become(uid: UInt32, gid: UInt32) throws(SystemError) {
        try call("setfsuid") { ctr_become_file_owner(uid, gid) }
    }
}
