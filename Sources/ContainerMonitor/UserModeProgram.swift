internal import Failure
internal import LinuxSystem

/// pasta or slirp4netns, as the keeper starts it.
struct UserModeProgram: Sendable {
    /// It goes on in the background when it is ready (pasta); else it writes to descriptor 3, and takes orders then.
    let isDaemon: Bool
    let path: String
    /// Where the program finds the container's network namespace.
    let namespacePath: String
    /// One JSON text for each published port.
    let orders: [String]
    let arguments: [String]

    /// slirp4netns answers at once or never.
    private static let patience: Int32 = 10_000

    private var directory: String {
        let end = namespacePath.lastIndex(of: "/") ?? namespacePath.startIndex
        return String(namespacePath[..<end])
    }

    /// Puts the namespace where the program looks for it: in a mount namespace of this process's own, below a file system
    /// of its own.
    func showNamespace(_ namespace: Int32) throws(SystemError) {
        try MountNamespace.unshare()
        let place = (try? FileDescriptor.exists("/run/user")) == true ? "/run/user" : "/run"
        // MS_NOSUID, MS_NODEV, MS_NOEXEC
        try MountTable.mount(
            source: "tmpfs", target: place, type: "tmpfs", flags: 2 | 4 | 8, data: "mode=755")
        try Directory.ensurePath(directory, mode: 0o755)
        _ = try FileDescriptor.open(namespacePath, [.writeOnly, .create])
        // MS_BIND
        try MountTable.mount(
            source: "/proc/self/fd/\(namespace)", target: namespacePath, type: nil, flags: 4096)
    }

    /// Returns when it is ready and has all ports.
    /// - Returns: where it goes on writing; nonblocking.
    /// - Throws: what it said; it is not there then.
    func start() throws(Failure) -> SharedFileDescriptor {
        let words = try during("start \(path)") { () throws(SystemError) in
            let ends = try FileDescriptor.pipe().shared()
            try Launching.setNonBlocking(ends.first.raw)
            return ends
        }
        do throws(Failure) {
            if isDaemon { try startDaemon(words.second.raw) } else { try startOther(words.second.raw) }
        } catch {
            // The last line is why, as a rule.
            throw Failure(error.code, "\(error.message)\n\(UserModeProgram.text(words.first.raw))")
        }
        return words.first
    }

    /// Whether anything of it is there; reaps what has ended.
    func isRunning() -> Bool {
        do throws(SystemError) {
            while try Process.reap(-1, options: Process.withoutWaiting) != nil {}
            return true
        } catch {
            // ECHILD
            return false
        }
    }

    private func startDaemon(_ words: Int32) throws(Failure) {
        let ended = try during("start \(path)") { () throws(SystemError) in
            try Process.reap(try spawn(words, passed: []))
        }
        guard let ended, ended.status == 0 else { throw unready(ended?.status) }
    }

    private func startOther(_ words: Int32) throws(Failure) {
        let (pid, ready) = try during("start \(path)") { () throws(SystemError) in
            let ends = try FileDescriptor.pipe().shared()
            return (try spawn(words, passed: [ends.second.raw]), ends.first)
        }
        do throws(Failure) {
            let isReady = try during("start \(path)") { () throws(SystemError) in
                try FileDescriptor.wait(for: ready.raw, milliseconds: Self.patience)
                    && UserModeProgram.read(ready.raw) != nil
            }
            if isReady {
                for order in orders { try give(order) }
                return
            }
        } catch {
            Launching.kill(pid, Signal.kill)
            _ = try? Process.reap(pid)
            throw error
        }
        // It has closed its end, by ending or not; how it ended is told where it did so by itself.
        Launching.kill(pid, Signal.terminate)
        throw unready(((try? Process.reap(pid)) ?? nil)?.status)
    }

    private func spawn(_ words: Int32, passed: [Int32]) throws(SystemError) -> Int32 {
        try Process.spawn(
            program: try FileDescriptor.open(path, [.pathOnly]), arguments: arguments, environment: [],
            output: words, error: words, passed: passed)
    }

    private func unready(_ status: Int32?) -> Failure {
        let code = status.map { " with exit code \(Process.exitCode(ofStatus: $0))" } ?? ""
        return Failure(.unavailable, "it ended\(code) before it was ready")
    }

    /// slirp4netns answers `{"return": …}` or `{"error": {"desc": …}}`.
    private func give(_ order: String) throws(Failure) {
        let answer = try during("publish a port") { () throws(SystemError) in
            let place = try Directory.open(directory)
            let socket = try UnixSocket.connect("orders", in: place.raw, .stream)
            try UnixSocket.sendAll(Array(order.utf8), to: socket.raw)
            try UnixSocket.shutDownWriting(socket.raw)
            guard try FileDescriptor.wait(for: socket.raw, milliseconds: Self.patience) else {
                throw SystemError(call: "recv", path: nil, errno: Errno.timedOut)
            }
            return UserModeProgram.read(socket.raw) ?? []
        }
        let text = String(decoding: answer, as: UTF8.self)
        guard text.contains("\"return\"") else {
            throw Failure(.conflict, "it does not publish a port: \(order) was answered \(text)")
        }
    }

    /// What is there; nil at the end.
    private static func read(_ number: Int32) -> [UInt8]? {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            let size =
                (try? Launching.readAvailable(number, into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
            return size > 0 ? Array(buffer[..<size]) : nil
        }
    }

    private static func text(_ words: Int32) -> String {
        var bytes: [UInt8] = []
        while bytes.count < 1 << 16, let more = read(words) { bytes += more }
        return String(decoding: bytes.suffix(4096), as: UTF8.self)
    }
}
