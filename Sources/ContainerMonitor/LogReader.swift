package import LinuxSystem

/// Reads a container's log files as they are written.
package final class LogReader {
    private let directory: FileDescriptor
    /// The file that is read, and the bytes of it that are not a whole line yet.
    private var number: UInt64?
    private var file: SharedFileDescriptor?
    private var held: [UInt8] = []
    /// There is a later file: this one has all that it will ever have.
    private var isComplete = false

    package init(directory: consuming FileDescriptor) { self.directory = directory }

    /// Goes to where the last `lines` lines begin; nil is the beginning.
    package func start(tail lines: Int?) throws(SystemError) {
        let numbers = try LogFile.numbers(in: directory)
        guard let lines else {
            number = numbers.first
            try openCurrent(at: 0)
            return
        }
        var wanted = lines
        for candidate in numbers.reversed() {
            let opened = try FileDescriptor.open(LogFile.name(candidate), in: directory.raw)
            let (offset, found) = try LogReader.offset(ofLast: wanted, in: opened)
            number = candidate
            try openCurrent(at: offset)
            wanted -= found
            if wanted <= 0 { return }
        }
    }

    private func openCurrent(at offset: Int64) throws(SystemError) {
        held.removeAll()
        isComplete = false
        guard let number else { return }
        let opened = try FileDescriptor.open(LogFile.name(number), in: directory.raw)
        try opened.seek(to: offset)
        file = SharedFileDescriptor(opened)
    }

    /// Where the last lines of a file begin, read from its end, and how many there are of those wanted.
    private static func offset(ofLast wanted: Int, in file: borrowing FileDescriptor) throws(SystemError) -> (
        offset: Int64, found: Int
    ) {
        let size = Int64(try file.status().size)
        if wanted <= 0 { return (size, 0) }
        var end = size
        var found = 0
        let chunk = 64 << 10
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: chunk, alignment: 1)
        defer { buffer.deallocate() }
        while end > 0 {
            let start = max(0, end - Int64(chunk))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(end - start)])
            let n = try file.read(into: part, at: start)
            for i in (0..<n).reversed() where part[i] == UInt8(ascii: "\n") && start + Int64(i) + 1 < size {
                found += 1
                if found == wanted { return (start + Int64(i) + 1, found) }
            }
            end = start
        }
        return (0, size > 0 ? found + 1 : 0)
    }

    /// Hands over the whole lines that are there by now, also of files begun since. Answers whether there were any.
    /// Lines that are no log lines are skipped.
    @discardableResult
    package func read(_ body: (LogLine) -> Bool) throws(SystemError) -> Bool {
        if number == nil {
            number = try LogFile.numbers(in: directory).first
            try openCurrent(at: 0)
        }
        var any = false
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 1)
        defer { buffer.deallocate() }
        while let file {
            let n = try LogReader.read(file, into: buffer)
            if n == 0 {
                guard try goOn() else { return any }
                continue
            }
            held.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<n]))
            var start = held.startIndex
            while let end = held[start...].firstIndex(of: UInt8(ascii: "\n")) {
                if let line = LogLine(parsing: held[start..<end]) {
                    any = true
                    if !body(line) { return any }
                }
                start = end + 1
            }
            held.removeFirst(start)
        }
        return any
    }

    private static func read(_ file: SharedFileDescriptor, into buffer: UnsafeMutableRawBufferPointer)
        throws(SystemError) -> Int
    {
        let borrowed = FileDescriptor(owning: file.raw)
        do throws(SystemError) {
            let n = try borrowed.read(into: buffer)
            _ = borrowed.release()
            return n
        } catch {
            _ = borrowed.release()
            throw error
        }
    }

    /// Whether there is more to be read: in this file, when there is a later one, since something may have come between
    /// its end that was seen and the later one's beginning; then in the next. Numbers only rise.
    private func goOn() throws(SystemError) -> Bool {
        while true {
            guard let number, let next = try LogFile.numbers(in: directory).first(where: { $0 > number })
            else { return false }
            if !isComplete {
                isComplete = true
                return true
            }
            do throws(SystemError) {
                self.number = next
                try openCurrent(at: 0)
                return true
            } catch {
                // Removed meanwhile: the log goes faster than this.
                guard error.errno == Errno.noEntry else { throw error }
                isComplete = true
            }
        }
    }
}
