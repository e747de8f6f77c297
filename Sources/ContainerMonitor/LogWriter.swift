package import LinuxSystem

/// Log files in `logs/` of the container's directory: docker's json-file, or the lines of Kubernetes' runtimes.
///
/// Files are named by rising numbers and never renamed, so that a reader that follows goes on to n+1, and nothing is added
/// to n once n+1 is there. A full disk: lines are dropped and counted, and when there is room again a line says how many.
package final class LogWriter: ContainerLog {
    package enum Format: Sendable, Equatable {
        /// `attributes`: a JSON object that goes into each line, or nothing.
        case json(attributes: [UInt8] = [])
        case kubernetes

        func append(_ line: [UInt8], _ stream: LogStream, _ time: Timestamp, to lines: inout [UInt8]) {
            switch self {
            case .json(let attributes):
                LogLine.append(line, stream.rawValue, time, attributes: attributes, to: &lines)
            case .kubernetes: LogLine.appendKubernetes(line, stream.rawValue, time, to: &lines)
            }
        }
    }

    private let directory: FileDescriptor
    private let format: Format
    private let maximumSize: UInt64
    private let maximumFiles: UInt32
    private var file: SharedFileDescriptor?
    private var number: UInt64
    private var size: UInt64 = 0
    private var cutter = LineCutter()
    /// The file ends within a line, which no reader takes for one.
    private var endsWithinLine = false
    package private(set) var droppedLines: UInt64 = 0
    package private(set) var dropReason = ""
    private var untoldDrops: UInt64 = 0

    /// Appends to the last file in the directory, or begins the first.
    package init(
        directory: consuming FileDescriptor, format: Format = .json(), maximumSize: UInt64,
        maximumFiles: UInt32
    ) throws(SystemError) {
        self.directory = directory
        self.format = format
        self.maximumSize = maximumSize
        self.maximumFiles = max(1, maximumFiles)
        number = try LogFile.numbers(in: self.directory).last ?? 1
        try? open()
    }

    private func open() throws(SystemError) {
        let opened = try FileDescriptor.open(
            LogFile.name(number), in: directory.raw, [.readWrite, .create, .append, .noFollow], mode: 0o640)
        size = try opened.status().size
        endsWithinLine = size > 0 && LogWriter.lastByte(of: opened, size) != UInt8(ascii: "\n")
        file = SharedFileDescriptor(opened)
    }

    private static func lastByte(of file: borrowing FileDescriptor, _ size: UInt64) -> UInt8? {
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
            (try? file.read(into: byte, at: Int64(size) - 1)) == 1 ? byte[0] : nil
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer, from stream: LogStream, at time: Timestamp) {
        var lines: [UInt8] = []
        var count: UInt64 = 0
        cutter.cut(bytes, from: stream) { line in
            format.append(line, stream, time, to: &lines)
            count += 1
        }
        put(lines, count, at: time)
    }

    package func finish(at time: Timestamp) {
        var lines: [UInt8] = []
        var count: UInt64 = 0
        cutter.finish { stream, line in
            format.append(line, stream, time, to: &lines)
            count += 1
        }
        put(lines, count, at: time)
    }

    /// Counts lines that were lost before there was this value.
    package func drop(_ count: UInt64, _ reason: String) {
        droppedLines += count
        untoldDrops += count
        dropReason = reason
    }

    private func put(_ lines: [UInt8], _ count: UInt64, at time: Timestamp) {
        guard !lines.isEmpty else { return }
        if maximumSize > 0, size > 0, size + UInt64(lines.count) > maximumSize { rotate() }
        written = 0
        do throws(SystemError) {
            if file == nil { try open() }
            // Apart, so that it is known whether the lines after it fit.
            let word = introduction(at: time)
            if !word.isEmpty {
                do throws(SystemError) {
                    try append(word)
                } catch {
                    written = 0
                    throw error
                }
                untoldDrops = 0
            }
            try append(lines)
        } catch {
            drop(count - linesWritten(of: lines), error.reason)
        }
    }

    /// What comes first after lines were lost.
    private func introduction(at time: Timestamp) -> [UInt8] {
        guard untoldDrops > 0 else { return [] }
        var word: [UInt8] = []
        let text = "ctr: \(untoldDrops) \(untoldDrops == 1 ? "line" : "lines") lost: \(dropReason)\n"
        format.append(Array(text.utf8), .stderr, time, to: &word)
        return word
    }

    /// How many bytes of the last `append` are there.
    private var written = 0

    private func append(_ bytes: [UInt8]) throws(SystemError) {
        guard let file else { return }
        written = 0
        let whole = endsWithinLine ? [UInt8(ascii: "\n")] + bytes : bytes
        let before = size
        do throws(SystemError) {
            try FileDescriptor.withBorrowed(file.raw) { (file) throws(SystemError) in try file.write(whole) }
            size += UInt64(whole.count)
            endsWithinLine = false
        } catch {
            // A part may be there. It stays: who follows has read it perhaps.
            let now =
                (try? FileDescriptor.withBorrowed(file.raw) { (file) throws(SystemError) in
                    try file.status().size
                }) ?? before
            size = now
            let added = Int(clamping: now - min(now, before))
            written = max(0, added - (whole.count - bytes.count))
            if added > 0 { endsWithinLine = whole[added - 1] != UInt8(ascii: "\n") }
            throw error
        }
    }

    private func linesWritten(of lines: [UInt8]) -> UInt64 {
        UInt64(lines.prefix(written).reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) })
    }

    private func rotate() {
        // First, what goes: on a full disk there may be no room for a new file without it.
        removeOld(leaving: max(1, Int(maximumFiles) - 1))
        number += 1
        do throws(SystemError) {
            try open()
        } catch {
            number -= 1
            return
        }
        removeOld(leaving: Int(maximumFiles))
    }

    private func removeOld(leaving count: Int) {
        let numbers = (try? LogFile.numbers(in: directory)) ?? []
        for old in numbers.dropLast(count) {
            try? Directory.removeFile(LogFile.name(old), in: directory.raw)
        }
    }
}

/// The names of log files: `000017.log`.
package enum LogFile {
    package static func name(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits + ".log"
    }

    /// In rising order.
    package static func numbers(in directory: borrowing FileDescriptor) throws(SystemError) -> [UInt64] {
        try Directory.names(in: directory).compactMap { name in
            name.hasSuffix(".log") ? UInt64(name.dropLast(4)) : nil
        }.sorted()
    }
}
