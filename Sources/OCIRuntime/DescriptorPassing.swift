internal import Failure
internal import LinuxSystem
internal import OCI

/// Descriptors that go to a socket of the caller's.
enum DescriptorPassing {
    /// A terminal's master with its name, as `--console-socket` wants it.
    static func send(_ descriptor: Int32, named name: String, to path: String) throws(Failure) {
        try send(descriptor, bytes: Array(name.utf8), to: path)
    }

    static func send(_ descriptor: Int32, bytes: [UInt8], to path: String) throws(Failure) {
        try during("send a descriptor to \(path)") { () throws(SystemError) in
            let slash = path.lastIndex(of: "/")
            let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
            let directory = try FileDescriptor.open(folder, [.pathOnly, .directory])
            let socket = try UnixSocket.connect(name, in: directory.raw, .stream)
            try socket.setNonBlocking(false)
            var failed: SystemError?
            bytes.withUnsafeBytes { buffer in
                do throws(SystemError) {
                    try UnixSocket.send(buffer, descriptors: [descriptor], to: socket.raw)
                } catch { failed = error }
            }
            if let failed { throw failed }
        }
    }
}

/// The filter's listener goes to the agent that the profile names (config-linux.md, "The Container Process State").
enum SeccompListener {
    private struct ProcessState: Encodable {
        let ociVersion = RuntimeSpec.version
        let fds = ["seccompFd"]
        let pid: Int32
        let metadata: String?
        let state: RuntimeState
    }

    static func send(
        _ listener: borrowing FileDescriptor, _ seccomp: RuntimeSpec.Seccomp?, pid: Int32, state: RuntimeState
    ) throws(Failure) {
        guard let path = seccomp?.listenerPath, !path.isEmpty else { return }
        let bytes = try JSON.encode(ProcessState(pid: pid, metadata: seccomp?.listenerMetadata, state: state))
        try DescriptorPassing.send(listener.raw, bytes: bytes, to: path)
    }
}

enum PIDFile {
    static func write(_ pid: Int32, to path: String) throws(Failure) {
        try during("write \(path)") { () throws(SystemError) in
            let slash = path.lastIndex(of: "/")
            let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            let name = slash.map { String(path[path.index(after: $0)...]) } ?? path
            let directory = try FileDescriptor.open(folder, [.readOnly, .directory])
            try AtomicFile.write(
                Array(String(pid).utf8), to: name, in: directory.raw, mode: 0o644, durable: false)
        }
    }
}
