package import Failure
package import LinuxSystem

/// An ordinary user's ctr: one user namespace for all of the user's containers, in which ctr is root, and a mount namespace
/// with it.
///
/// A process of the monitor's program holds both (`ctr-monitor hold`): every call of ctr joins them as its first act,
/// before it has a second thread. Which process it is stands in `<run directory>/namespace`.
package struct RootlessSession: Sendable {
    /// For the programs that this one becomes or starts: they are in the namespace already.
    private static let mark = "CTR_ROOTLESS_UID"

    /// Where an ordinary user's things are; nil for root.
    package let defaultRoot: String
    package let defaultRunRoot: String

    /// nil where this process is root of the machine, or of a namespace that is not ctr's own.
    package static var current: RootlessSession? {
        guard UserNamespace.isNested, let text = Process.environmentValue(mark), let uid = UInt32(text),
            uid == UserNamespace.outerUID
        else { return nil }
        return RootlessSession(uid: uid)
    }

    /// The bus of the user's own systemd.
    package let bus: String

    package init(uid: UInt32) {
        bus = RootlessSession.runDirectory(uid) + "/bus"
        let home = Process.environmentValue("HOME") ?? "/nonexistent"
        defaultRoot = (RootlessSession.directory("XDG_DATA_HOME") ?? "\(home)/.local/share") + "/ctr"
        defaultRunRoot = RootlessSession.runDirectory(uid) + "/ctr"
    }

    /// systemd's, else one that the user alone can have made.
    private static func runDirectory(_ uid: UInt32) -> String {
        if let given = directory("XDG_RUNTIME_DIR") { return given }
        let systemds = "/run/user/\(uid)"
        if (try? FileDescriptor.exists(systemds)) == true { return systemds }
        return "/tmp/ctr-run-\(uid)"
    }

    private static func directory(_ variable: String) -> String? {
        Process.environmentValue(variable).flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    /// Joins the user's namespaces, or makes them; root stays where it is.
    /// - Parameter holder: the program `ctr-monitor`.
    package static func enter(holder: () throws(Failure) -> FileDescriptor) throws(Failure) {
        let uid = Process.effectiveUID
        guard uid != 0 else { return }
        let session = RootlessSession(uid: uid)
        let here = try? WorkingDirectory.path()
        try session.join(uid, holder)
        // The mount namespace begins at its root.
        if let here { try? WorkingDirectory.enter(here) }
        Process.setEnvironment(mark, String(uid))
    }

    private func join(_ uid: UInt32, _ holder: () throws(Failure) -> FileDescriptor) throws(Failure) {
        let lock = try during("make \(defaultRunRoot)") { () throws(SystemError) in
            try Directory.ensurePath(defaultRunRoot)
            // In /tmp another user may have been there first, and could change what is below at any time.
            for path in [defaultRunRoot, String(defaultRunRoot.dropLast("/ctr".count))] {
                let status = try FileDescriptor.status(path)
                guard status.kind == .directory, status.uid == uid, status.permissions & 0o022 == 0 else {
                    throw SystemError(call: "stat", path: path, errno: Errno.notPermitted)
                }
            }
            return try FileLock("\(defaultRunRoot)/namespace.lock", .exclusive)
        }
        var process = holderThere()
        if process == nil { process = try make(uid, try holder()) }
        guard let process else { return }
        lock.letGo()
        try during("join the user namespace of ctr") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(process.raw) { (process) throws(SystemError) in
                try UserNamespace.join(process)
            }
        }
    }

    private var record: String { "\(defaultRunRoot)/namespace" }

    private func holderThere() -> SharedFileDescriptor? {
        guard let bytes = (try? AtomicFile.read(record)) ?? nil else { return nil }
        let words = String(decoding: bytes, as: UTF8.self).split { $0 == " " || $0 == "\n" }
        guard words.count == 3, words[0] == Process.bootID(), let pid = Int32(words[1]),
            let start = UInt64(words[2])
        else { return nil }
        guard let process = (try? ProcessIdentity(pid: pid, startTime: start).open()) ?? nil,
            // Killed and not reaped yet, it has no namespaces any more.
            (try? FileDescriptor.status("/proc/\(pid)/ns/mnt", follow: true)) != nil
        else {
            return nil
        }
        return SharedFileDescriptor(process)
    }

    private func make(_ uid: UInt32, _ program: borrowing FileDescriptor) throws(Failure)
        -> SharedFileDescriptor
    {
        let started: (pid: Int32, socket: SharedFileDescriptor)
        do throws(SystemError) { started = try start(program) } catch {
            // ENOSPC: none are allowed.
            let isRefused = error.errno == Errno.notPermitted || error.errno == Errno.noSpace
            throw error.failure(
                "make a user namespace",
                hint: isRefused
                    ? "this host gives ordinary users no user namespaces: \"ctr doctor\" tells why" : nil)
        }
        do throws(Failure) {
            try map(started.pid, uid)
            return try during("make a user namespace") { () throws(SystemError) in
                try UnixSocket.sendAll([0], to: started.socket.raw)
                guard let identity = ProcessIdentity(running: started.pid), let process = try identity.open()
                else { throw SystemError(call: "pidfd_open", path: nil, errno: Errno.noProcess) }
                let text = "\(Process.bootID()) \(identity.pid) \(identity.startTime)\n"
                let directory = try Directory.open(defaultRunRoot)
                try AtomicFile.write(Array(text.utf8), to: "namespace", in: directory.raw, durable: false)
                return SharedFileDescriptor(process)
            }
        } catch {
            Launching.kill(started.pid, Signal.kill)
            throw error
        }
    }

    /// The holder, with namespaces and without ids.
    private func start(
        _ program: borrowing FileDescriptor
    ) throws(SystemError) -> (pid: Int32, socket: SharedFileDescriptor) {
        let ends = try UnixSocket.pair(.packet).shared()
        let pid = try Process.spawn(
            program: program, arguments: ["ctr-monitor", "hold"], environment: [],
            passed: [ends.second.raw])
        var answer: UInt8 = 0
        var size = 0
        var failed: SystemError?
        withUnsafeMutableBytes(of: &answer) { buffer in
            do throws(SystemError) {
                size =
                    try FileDescriptor.wait(for: ends.first.raw, milliseconds: 10_000)
                    ? UnixSocket.receive(into: buffer, from: ends.first.raw).size : 0
            } catch { failed = error }
        }
        if let failed { throw failed }
        guard size == 1, answer == 0 else {
            Launching.kill(pid, Signal.kill)
            throw SystemError(
                call: "unshare", path: nil, errno: size == 1 ? Int32(answer) : Errno.brokenPipe)
        }
        return (pid, ends.first)
    }

    /// By newuidmap and newgidmap where the user has subordinate ids; else the user's own id alone.
    private func map(_ pid: Int32, _ uid: UInt32) throws(Failure) {
        let gid = Process.effectiveGID
        let name = UserName.of(uid)
        let uids = SubordinateIDs.read("/etc/subuid", user: name, uid: uid)
        let gids = SubordinateIDs.read("/etc/subgid", user: name, uid: uid)
        if !uids.ranges.isEmpty, !gids.ranges.isEmpty,
            try SubordinateIDs.map(pid, uids: uids.mapping(of: uid), gids: gids.mapping(of: gid))
        {
            return
        }
        try during("map user \(uid)") { () throws(SystemError) in
            try FileDescriptor.open("/proc/\(pid)/uid_map", [.writeOnly]).write("0 \(uid) 1\n")
            try FileDescriptor.open("/proc/\(pid)/setgroups", [.writeOnly]).write("deny")
            try FileDescriptor.open("/proc/\(pid)/gid_map", [.writeOnly]).write("0 \(gid) 1\n")
        }
    }
}
