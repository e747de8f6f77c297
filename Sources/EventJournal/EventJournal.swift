internal import LinuxSystem

/// What happened below a root, written by whoever did it: with no daemon nothing is lost.
///
/// ```
/// events/journal               lines of events (`Event`), appended with one write(2) each
/// events/journal.<time>        older ones; the kernel's clock in nanoseconds, 19 digits
/// events/lock                  flock: who turns the journal over
/// ```
///
/// Writers take no lock: a regular file's appends do not mix. Who finds the file above `limit` renames it; one that has it
/// open still writes there, and readers read it to its end. `kept` older files stay. Nothing is synced: a power cut
/// loses the last seconds, and the record of a container, not the journal, is what counts.
package struct EventJournal: Sendable {
    package static let limit: UInt64 = 1 << 20
    package static let kept = 7
    static let current = "journal"

    /// Of the directory `events`.
    package let path: String
    private let limit: UInt64

    package init(root: String, limit: UInt64 = EventJournal.limit) {
        path = "\(root)/events"
        self.limit = limit
    }

    /// Of the root that a container's directory is below: `ROOT/containers/ID`.
    package init(containerDirectory: String) {
        let parts = containerDirectory.split(separator: "/")
        self.init(root: "/" + parts.dropLast(2).joined(separator: "/"))
    }

    /// A journal that cannot be written keeps nobody from his work.
    package func append(_ events: [Event]) {
        var bytes: [UInt8] = []
        for event in events { event.append(to: &bytes) }
        do throws(SystemError) {
            try write(bytes)
        } catch {
            guard error.errno == Errno.noEntry else { return }
            try? Directory.ensurePath(path)
            try? write(bytes)
        }
    }

    package func append(_ event: Event) { append([event]) }

    private func write(_ bytes: [UInt8]) throws(SystemError) {
        let file = try FileDescriptor.open(
            "\(path)/\(EventJournal.current)", [.writeOnly, .append, .create, .noFollow])
        try file.write(bytes)
        let status = try file.status()
        if status.size > limit { turnOver(status.inode) }
    }

    /// One does it, nobody waits.
    private func turnOver(_ inode: UInt64) {
        let name = "\(path)/\(EventJournal.current)"
        guard let lock = (try? FileLock.attempt("\(path)/lock", .exclusive)) ?? nil,
            let status = try? FileDescriptor.status(name), status.inode == inode
        else {
            return
        }
        let time = String(Timestamp.now().nanosecondsSinceEpoch)
        try? Directory.rename(name, to: "\(name).\(time)")
        for old in older().dropLast(EventJournal.kept) { try? Directory.removeFile("\(path)/\(old)") }
        _ = lock.raw
    }

    /// Oldest first.
    func older() -> [String] {
        guard let directory = try? Directory.open(path), let names = try? Directory.names(in: directory)
        else {
            return []
        }
        return names.filter { $0.hasPrefix(EventJournal.current + ".") }
    }
}
