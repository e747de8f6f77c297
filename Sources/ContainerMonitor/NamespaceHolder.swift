internal import LinuxSystem

/// `ctr-monitor hold`: keeps an ordinary user's namespaces for the calls of ctr that come and go.
enum NamespaceHolder {
    /// Descriptor 3 is a socket to who maps the ids: one byte tells that the namespaces are there (0) or why not (errno), one
    /// is awaited that says that the ids are mapped.
    static func run() -> Never {
        let socket = FileDescriptor(owning: Monitor.launchSocket)
        do throws(SystemError) {
            try UserNamespace.make()
        } catch {
            try? UnixSocket.sendAll([UInt8(truncatingIfNeeded: error.errno)], to: socket.raw)
            Process.exit(1)
        }
        try? UnixSocket.sendAll([0], to: socket.raw)
        guard (try? FileDescriptor.wait(for: socket.raw)) == true, heard(socket.raw) else { Process.exit(1) }
        Launching.setProcessName("ctr-namespace")
        // What the host mounts later is seen here, and nothing goes the other way.
        try? MountTable.makeSlave()
        _ = consume socket
        while true { Process.sleep(microseconds: UInt32.max) }
    }

    private static func heard(_ socket: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { buffer in
            ((try? UnixSocket.receive(into: buffer, from: socket).size) ?? 0) == 1
        }
    }
}
