package import LinuxSystem

/// docker's json-file: one line of JSON for each line of output, in `logs/` of the container's directory.
///
/// Files are named by rising numbers and never renamed, so that a reader that follows goes on to n+1. A line longer
/// than 16 KiB is written in parts, the earlier ones without a line end, as docker does. What cannot be written (a full
/// disk) is dropped and counted: a log must not end a container.
package final class LogWriter {
    package enum Stream: String, Sendable { case stdout, stderr }

    package static let longestPart = 16 << 10

    private let directory: FileDescriptor
    private let maximumSize: UInt64
    private let maximumFiles: UInt32
    private var file: SharedFileDescriptor?
    private var number: UInt64
    private var size: UInt64 = 0
    private var partial: [Stream: [UInt8]] = [:]
    package private(set) var droppedLines: UInt64 = 0

    /// Appends to the last file in the directory, or begins the first.
    package init(directory: consuming FileDescriptor, maximumSize: UInt64, maximumFiles: UInt32)
        throws(SystemError)
    {
        self.directory = directory
        self.maximumSize = maximumSize
        self.maximumFiles = max(1, maximumFiles)
        number = try LogFile.numbers(in: self.directory).last ?? 1
        try open()
    }

    private func open() throws(SystemError) {
        let opened = try FileDescriptor.open(
            LogFile.name(number), in: directory.raw, [.writeOnly, .create, .append, .noFollow], mode: 0o640)
        size = try opened.status().size
        file = SharedFileDescriptor(opened)
    }

    package func write(_ bytes: UnsafeRawBufferPointer, from stream: Stream, at time: Timestamp) {
        var held = partial.removeValue(forKey: stream) ?? []
        var rest = bytes[...]
        var lines: [UInt8] = []
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            held.append(contentsOf: rest[...end])
            appendParts(of: &held, stream, time, to: &lines)
            LogLine.append(held, stream.rawValue, time, to: &lines)
            held.removeAll(keepingCapacity: true)
            rest = rest[(end + 1)...]
        }
        held.append(contentsOf: rest)
        appendParts(of: &held, stream, time, to: &lines)
        if !held.isEmpty { partial[stream] = held }
        put(lines)
    }

    private func appendParts(
        of held: inout [UInt8], _ stream: Stream, _ time: Timestamp, to lines: inout [UInt8]
    ) {
        while held.count > LogWriter.longestPart {
            LogLine.append(Array(held.prefix(LogWriter.longestPart)), stream.rawValue, time, to: &lines)
            held.removeFirst(LogWriter.longestPart)
        }
    }

    /// Writes what has no line end yet; at the container's end.
    package func finish(at time: Timestamp) {
        var lines: [UInt8] = []
        for stream in [Stream.stdout, .stderr] {
            if let held = partial.removeValue(forKey: stream) {
                LogLine.append(held, stream.rawValue, time, to: &lines)
            }
        }
        put(lines)
    }

    private func put(_ lines: [UInt8]) {
        guard !lines.isEmpty else { return }
        if maximumSize > 0, size > 0, size + UInt64(lines.count) > maximumSize { rotate() }
        guard let file else { return drop(lines) }
        let descriptor = FileDescriptor(owning: file.raw)
        do throws(SystemError) {
            try descriptor.write(lines)
            size += UInt64(lines.count)
        } catch {
            // A part of the lines may be there: the next ones must begin on a line of their own.
            try? descriptor.truncate(to: Int64(size))
            drop(lines)
        }
        _ = descriptor.release()
    }

    private func drop(_ lines: [UInt8]) {
        droppedLines += UInt64(lines.reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) })
    }

    private func rotate() {
        number += 1
        do throws(SystemError) {
            try open()
        } catch {
            number -= 1
            return
        }
        let numbers = (try? LogFile.numbers(in: directory)) ?? []
        for old in numbers.dropLast(Int(maximumFiles)) {
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
