package import LinuxSystem

/// Reads a journal from its oldest event on, or from now on, and goes on with what comes.
package struct EventReader: ~Copyable {
    private let journal: EventJournal
    private let watch: DirectoryWatch
    private var current: OpenJournal?
    /// Turned over meanwhile: a writer that had it open may still be at it.
    private var former: OpenJournal?
    private var isAtStart: Bool

    private final class OpenJournal {
        let file: SharedFileDescriptor
        let inode: UInt64
        var rest: [UInt8] = []

        init?(_ path: String, fromEnd: Bool) {
            guard let file = try? FileDescriptor.open(path, [.readOnly, .noFollow]),
                let status = try? file.status()
            else {
                return nil
            }
            if fromEnd { _ = try? file.seek(to: 0, whence: 2) }
            inode = status.inode
            self.file = SharedFileDescriptor(file)
        }

        /// The whole lines since the last look.
        func events() -> [Event] {
            var chunk = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let got = FileDescriptor.withBorrowed(file.raw) { borrowed in
                    chunk.withUnsafeMutableBytes { (try? borrowed.read(into: $0)) ?? 0 }
                }
                if got == 0 { break }
                rest.append(contentsOf: chunk[..<got])
            }
            guard let last = rest.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
            let events = rest[..<last].split(separator: UInt8(ascii: "\n")).compactMap { Event(line: $0) }
            rest.removeFirst(last + 1)
            return events
        }
    }

    /// - Parameter fromStart: with those that are kept; else only what comes.
    package init(_ journal: EventJournal, fromStart: Bool) throws(SystemError) {
        self.journal = journal
        try Directory.ensurePath(journal.path)
        // Before the first look: what comes in between wakes the first wait.
        watch = try DirectoryWatch(journal.path)
        isAtStart = fromStart
        if !fromStart {
            current = OpenJournal("\(journal.path)/\(EventJournal.current)", fromEnd: true)
        }
    }

    /// Readable when there may be more.
    package var raw: Int32 { watch.raw }

    /// What is there and was not read yet, by time.
    package mutating func next() throws(SystemError) -> [Event] {
        try watch.drain()
        var events: [Event] = []
        if isAtStart {
            isAtStart = false
            for name in journal.older() {
                events += OpenJournal("\(journal.path)/\(name)", fromEnd: false)?.events() ?? []
            }
        }
        events += former?.events() ?? []
        events += current?.events() ?? []
        let name = "\(journal.path)/\(EventJournal.current)"
        let inode = (try? FileDescriptor.status(name))?.inode
        if inode != nil, inode != current?.inode {
            former = current
            current = OpenJournal(name, fromEnd: false)
            events += former?.events() ?? []
            events += current?.events() ?? []
        }
        // Writers do not wait for each other between looking at the clock and writing.
        return events.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .map(\.element)
    }
}
