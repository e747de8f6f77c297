internal import Failure
internal import LinuxSystem

/// Ends a build when a descriptor becomes readable.
final class InterruptWatch: Sendable {
    private let thread: Thread?
    private let stop: (read: SharedFileDescriptor, write: SharedFileDescriptor)?

    /// - Parameter interrupt: -1 for none.
    init(_ interrupt: Int32, _ session: BuildSession) {
        guard interrupt >= 0, let pipe = try? FileDescriptor.pipe(), let read = try? pipe.first.duplicate(),
            let write = try? pipe.second.duplicate()
        else {
            thread = nil
            stop = nil
            return
        }
        let ended = SharedFileDescriptor(read)
        stop = (ended, SharedFileDescriptor(write))
        thread = try? Thread("interrupt") {
            guard let queue = try? EventQueue(), (try? queue.add(interrupt, .read, token: 1)) != nil,
                (try? queue.add(ended.raw, .read, token: 2)) != nil, let events = try? queue.wait()
            else { return }
            if events.contains(where: { $0.token == 1 }) {
                session.fail(Failure(.interrupted, "the build was stopped"))
            }
        }
    }

    /// Once.
    func end() {
        guard let stop else { return }
        try? FileDescriptor.withBorrowed(stop.write.raw) { (file) throws(SystemError) in
            try file.write("x")
        }
        thread?.join()
    }
}
