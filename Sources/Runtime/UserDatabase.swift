package import Failure
package import LinuxSystem

/// The container's own /etc/passwd and /etc/group. Never the host's, never NSS: what a container says about its users
/// is a stranger's text, read as such.
package struct UserDatabase: Sendable {
    struct User: Sendable, Equatable {
        let name: String
        let uid: UInt32
        let gid: UInt32
        let home: String
    }

    struct Group: Sendable, Equatable {
        let name: String
        let gid: UInt32
        let members: [Substring]
    }

    private let users: [User]
    private let groups: [Group]

    /// From the files' contents. Lines that are no entries are passed over, as glibc does.
    package init(passwd: String, group: String) {
        users = UserDatabase.entries(of: passwd) { UserDatabase.user($0) }
        groups = UserDatabase.entries(of: group) { UserDatabase.group($0) }
    }

    /// By bytes: by characters, ten megabytes of an enemy's take seconds (CVE-2026-47262).
    private static func entries<Entry>(of text: String, _ parse: (Substring) -> Entry?) -> [Entry] {
        var entries: [Entry] = []
        var rest = text.utf8[...]
        while !rest.isEmpty {
            let line = rest[..<(rest.firstIndex(of: 0x0a) ?? rest.endIndex)]
            if !line.isEmpty,
                let entry = parse(Substring(line.last == 0x0d ? line.dropLast() : line))
            {
                entries.append(entry)
            }
            rest = rest[line.endIndex...].dropFirst()
        }
        return entries
    }

    /// Fields with `:` between them; the last one is the rest.
    private static func fields(of line: Substring, _ count: Int) -> [Substring] {
        line.utf8.split(separator: 0x3a, maxSplits: count - 1, omittingEmptySubsequences: false).map(
            Substring.init)
    }

    /// From the root of a container, by its descriptor. A file that is not there is empty.
    /// - Throws: `invalidArgument` for what is no regular file, `resourceExhausted` beyond 10 MB.
    package init(root: borrowing FileDescriptor) throws(Failure) {
        let passwd = try UserDatabase.read("etc/passwd", in: root.raw)
        self.init(passwd: passwd, group: try UserDatabase.read("etc/group", in: root.raw))
    }

    private static let limit = 10 << 20

    private static func read(_ path: String, in root: Int32) throws(Failure) -> String {
        var bytes: [UInt8]?
        do throws(SystemError) {
            // Links are followed inside the root alone; a FIFO or device must not block or be opened for its effect,
            // so the kind is looked at by a descriptor that does not open the file.
            let inside: FileDescriptor.Resolve = [.inRoot, .noMagicLinks]
            let found = try FileDescriptor.open(path, in: root, [.pathOnly], resolve: inside)
            if try found.status().kind == .file {
                let file = try FileDescriptor.open(
                    path, in: root, [.readOnly, .nonBlocking], resolve: inside)
                if try file.status().kind == .file { bytes = try file.readAll(limit: limit) }
            }
        } catch {
            if error.code == .notFound { return "" }
            throw error.failure("read /\(path) of the image")
        }
        guard let bytes else {
            throw Failure(.invalidArgument, "/\(path) of the image is not a regular file")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// name:password:uid:gid:comment:home:shell (passwd(5))
    private static func user(_ line: Substring) -> User? {
        let fields = fields(of: line, 7)
        guard fields.count >= 4, !fields[0].isEmpty, let uid = number(fields[2]), let gid = number(fields[3])
        else { return nil }
        return User(
            name: String(fields[0]), uid: uid, gid: gid, home: fields.count > 5 ? String(fields[5]) : "")
    }

    /// name:password:gid:member,member (group(5))
    private static func group(_ line: Substring) -> Group? {
        let fields = fields(of: line, 4)
        guard fields.count >= 3, !fields[0].isEmpty, let gid = number(fields[2]) else { return nil }
        return Group(
            name: String(fields[0]), gid: gid,
            members: fields.count > 3 ? fields[3].utf8.split(separator: 0x2c).map(Substring.init) : [])
    }

    /// A plain decimal up to 2^31-1: no sign, no space, no other base, nothing that wraps around to 0.
    private static func number(_ text: some StringProtocol) -> UInt32? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = UInt32(text),
            value <= UInt32(Int32.max)
        else { return nil }
        return value
    }

    private static func isNumeric(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}

extension UserDatabase {
    /// docker's `--user` (and an image's USER): empty, `uid`, `name`, `uid:gid`, `name:group` and the like.
    ///
    /// A name or number without a group takes the group and the supplementary groups of its passwd entry; with a group
    /// it gets that group alone.
    /// - Parameter addedGroups: `--group-add`, names or numbers.
    /// - Throws: `invalidArgument` with docker's words.
    package func identity(of specification: String, addedGroups: [String] = []) throws(Failure)
        -> UserIdentity
    {
        let parts = specification.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let userText = parts.first ?? ""
        let groupText = parts.count > 1 ? parts[1] : ""

        let entry = try user(userText)
        var identity = UserIdentity(
            uid: entry.uid, gid: entry.user?.gid ?? 0, groups: [], home: entry.user?.home ?? "")
        if identity.home.isEmpty { identity.home = "/" }
        if identity.uid == 0, entry.user == nil { identity.home = "/root" }
        var supplementary: [UInt32] = []
        if groupText.isEmpty {
            if let name = entry.user?.name {
                supplementary = groups.filter { $0.members.contains { $0 == name } }.map(\.gid)
            }
        } else {
            identity.gid = try group(groupText)
        }
        for added in addedGroups { supplementary.append(try group(added[...])) }
        // The first is the group itself: without it in the list, dropping to another group would escape a
        // "deny this group" permission (CVE-2022-36109).
        identity.groups = [identity.gid]
        for gid in supplementary where !identity.groups.contains(gid) { identity.groups.append(gid) }
        return identity
    }

    /// The number itself where nobody has it.
    package func name(ofUser uid: UInt32) -> String { users.first { $0.uid == uid }?.name ?? String(uid) }

    package func name(ofGroup gid: UInt32) -> String { groups.first { $0.gid == gid }?.name ?? String(gid) }

    package func hasUser(_ uid: UInt32, or name: String) -> Bool {
        users.contains { $0.uid == uid || $0.name == name }
    }

    package func hasGroup(_ gid: UInt32, or name: String) -> Bool {
        groups.contains { $0.gid == gid || $0.name == name }
    }

    private func user(_ text: Substring) throws(Failure) -> (uid: UInt32, user: User?) {
        if text.isEmpty { return (0, users.first { $0.uid == 0 }) }
        // A name that looks like a number may exist; it wins, as for docker.
        if let named = users.first(where: { $0.name == text }) { return (named.uid, named) }
        if let uid = UserDatabase.number(text) { return (uid, users.first { $0.uid == uid }) }
        guard UserDatabase.isNumeric(text) else {
            throw Failure(
                .invalidArgument, "unable to find user \(quoted(text)): no matching entries in passwd file")
        }
        throw Failure(.invalidArgument, "user \(quoted(text)): uids and gids must be in range 0-2147483647")
    }

    private func group(_ text: Substring) throws(Failure) -> UInt32 {
        if let named = groups.first(where: { $0.name == text }) { return named.gid }
        if let gid = UserDatabase.number(text) { return gid }
        guard UserDatabase.isNumeric(text) else {
            throw Failure(
                .invalidArgument, "unable to find group \(quoted(text)): no matching entries in group file")
        }
        throw Failure(.invalidArgument, "group \(quoted(text)): uids and gids must be in range 0-2147483647")
    }

    /// An image can hold any text as USER.
    private func quoted(_ text: Substring) -> String { RawPath(String(text.prefix(64))).shown }
}
