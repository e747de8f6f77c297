internal import OCI

/// Who a process is, in numbers.
package struct UserIdentity: Sendable, Hashable {
    package var uid: UInt32
    package var gid: UInt32
    /// Supplementary groups, as they are set; nothing is added later.
    package var groups: [UInt32]
    /// The home directory that passwd names; `/` where it names none.
    package var home: String

    package init(uid: UInt32 = 0, gid: UInt32 = 0, groups: [UInt32] = [0], home: String = "/root") {
        self.uid = uid
        self.gid = gid
        self.groups = groups
        self.home = home
    }

    init(_ user: RuntimeSpec.User?) {
        let uid = user?.uid ?? 0
        self.init(
            uid: uid, gid: user?.gid ?? 0, groups: user?.additionalGids ?? [], home: uid == 0 ? "/root" : "/")
    }

    var specUser: RuntimeSpec.User {
        RuntimeSpec.User(uid: uid, gid: gid, additionalGids: groups.isEmpty ? nil : groups)
    }
}
