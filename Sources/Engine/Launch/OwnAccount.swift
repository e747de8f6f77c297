internal import Failure
internal import LinuxSystem
internal import Rootless
internal import Runtime

/// The caller's account in a container that keeps the caller's id (`--userns keep-id`): programs that ask for their own
/// name would fail where the image does not know the number. As podman has it, in the container's own layer.
struct OwnAccount {
    private let name: String
    private let uid, gid: UInt32
    private let home: String

    /// nil where the container keeps no id.
    init?(of record: ContainerRecord) throws(Failure) {
        let asked = record.settings.userNamespace
        guard asked.mode == "keep-id" || asked.mode.hasPrefix("keep-id:"), let maps = asked.maps,
            let uid = maps.uids.inside(0), let gid = maps.gids.inside(0), uid != 0
        else { return nil }
        self.uid = uid
        self.gid = gid
        name = UserName.of(UserNamespace.outerUID) ?? "user"
        let directory = record.settings.workingDirectory
        home = directory.isEmpty || directory.contains(":") ? "/" : directory
    }

    /// Adds it to the files that the image has, where the number or the name is not in them already. Each by itself: a start
    /// may have been killed in between.
    /// - Parameter root: of the container, writable.
    func add(to root: borrowing FileDescriptor) throws(Failure) {
        let known = try UserDatabase(root: root)
        if !known.hasUser(uid, or: name) {
            try append("\(name):x:\(uid):\(gid)::\(home):/bin/sh\n", to: "etc/passwd", in: root.raw)
        }
        if !known.hasGroup(gid, or: name) { try append("\(name):x:\(gid):\n", to: "etc/group", in: root.raw) }
    }

    private func append(_ line: String, to path: String, in root: Int32) throws(Failure) {
        do throws(SystemError) {
            let file = try FileDescriptor.open(
                path, in: root, [.readWrite, .append, .nonBlocking],
                resolve: [.inRoot, .noMagicLinks, .noSymlinks])
            guard try file.status().kind == .file else { return }
            let last = try file.readAll(limit: 10 << 20).last
            try file.write((last == nil || last == 10 ? "" : "\n") + line)
        } catch {
            guard error.isMissing || error.isLink else {
                throw error.failure("add the caller's account to /\(path)")
            }
        }
    }
}
