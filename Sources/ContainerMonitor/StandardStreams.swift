internal import LinuxSystem

/// What a container without a terminal reads and writes: FIFOs in the run directory.
///
/// The container holds both ends of its output, so that the end of its monitor is no SIGPIPE for it; it blocks only when
/// they are full. The monitor holds both ends too: it never sees an end of file, and reads what is there when the
/// container has ended. They are the container's user's, so that /dev/stdout can be opened.
struct StandardStreams {
    /// The container's ends.
    let input: SharedFileDescriptor
    let output: SharedFileDescriptor
    let error: SharedFileDescriptor

    static let names = ["stdin", "stdout", "stderr"]

    /// Makes the FIFOs, or takes those of an earlier run of the container.
    init(in directory: Int32, openStdin: Bool, uid: UInt32, gid: UInt32) throws(SystemError) {
        for name in StandardStreams.names where openStdin || name != "stdin" {
            do throws(SystemError) {
                try Launching.makeFIFO(name, in: directory, mode: 0o600, uid: uid, gid: gid)
            } catch {
                guard error.errno == Errno.exists else { throw error }
            }
        }
        if openStdin {
            // Without a writer yet: nonblocking for the open alone.
            let reader = try FileDescriptor.open(
                "stdin", in: directory, [.readOnly, .nonBlocking, .noFollow])
            try reader.setNonBlocking(false)
            input = SharedFileDescriptor(reader)
        } else {
            input = SharedFileDescriptor(try FileDescriptor.open("/dev/null", [.readOnly]))
        }
        output = SharedFileDescriptor(
            try FileDescriptor.open("stdout", in: directory, [.readWrite, .noFollow]))
        error = SharedFileDescriptor(
            try FileDescriptor.open("stderr", in: directory, [.readWrite, .noFollow]))
    }

    /// The monitor's end of an output.
    static func open(_ name: String, in directory: Int32) throws(SystemError) -> SharedFileDescriptor {
        SharedFileDescriptor(
            try FileDescriptor.open(name, in: directory, [.readWrite, .nonBlocking, .noFollow]))
    }

    /// The writing end of stdin; the container sees the end of its input when this is closed.
    static func openInput(in directory: Int32) throws(SystemError) -> SharedFileDescriptor {
        SharedFileDescriptor(
            try FileDescriptor.open("stdin", in: directory, [.writeOnly, .nonBlocking, .noFollow]))
    }
}
