package import LinuxSystem

/// systemd's journal, by its native protocol: a datagram an entry, `KEY=value` lines, values with line ends by length.
package final class JournalLog: ContainerLog {
    package static let socketPath = "/run/systemd/journal/socket"

    private let path: String
    /// Of every entry, encoded.
    private var fields: [UInt8] = []
    private var cutter = LineCutter()
    private var socket: SharedFileDescriptor?
    package private(set) var droppedLines: UInt64 = 0
    package private(set) var dropReason = ""
    private var untoldDrops: UInt64 = 0

    /// - Parameter fields: key, value, key, value.
    package init(fields: [String], path: String = JournalLog.socketPath) {
        self.path = path
        for index in stride(from: 0, to: fields.count - 1, by: 2) {
            JournalLog.append(fields[index], Array(fields[index + 1].utf8), to: &self.fields)
        }
    }

    static func append(_ key: String, _ value: [UInt8], to bytes: inout [UInt8]) {
        bytes.append(contentsOf: key.utf8)
        if value.contains(UInt8(ascii: "\n")) {
            bytes.append(UInt8(ascii: "\n"))
            bytes.append(littleEndian: UInt64(value.count))
        } else {
            bytes.append(UInt8(ascii: "="))
        }
        bytes.append(contentsOf: value)
        bytes.append(UInt8(ascii: "\n"))
    }

    package func write(_ bytes: UnsafeRawBufferPointer, from stream: LogStream, at time: Timestamp) {
        var lines: [[UInt8]] = []
        cutter.cut(bytes, from: stream) { lines.append($0) }
        for line in lines { put(line, stream) }
    }

    package func finish(at time: Timestamp) {
        var lines: [(LogStream, [UInt8])] = []
        cutter.finish { lines.append(($0, $1)) }
        for (stream, line) in lines { put(line, stream) }
    }

    private func put(_ line: [UInt8], _ stream: LogStream) {
        if untoldDrops > 0 {
            let text = "ctr: \(untoldDrops) \(untoldDrops == 1 ? "line" : "lines") lost: \(dropReason)\n"
            guard send(Array(text.utf8), .stderr) else { return drop() }
            untoldDrops = 0
        }
        if !send(line, stream) { drop() }
    }

    private func drop() {
        droppedLines += 1
        untoldDrops += 1
    }

    /// Never waits: a journal that does not read loses lines.
    private func send(_ line: [UInt8], _ stream: LogStream) -> Bool {
        let isWhole = line.last == UInt8(ascii: "\n")
        var entry: [UInt8] = []
        // docker's priorities: errors for stderr, information for stdout.
        JournalLog.append("PRIORITY", Array((stream == .stderr ? "3" : "6").utf8), to: &entry)
        JournalLog.append("MESSAGE", isWhole ? Array(line.dropLast()) : line, to: &entry)
        if !isWhole { JournalLog.append("CONTAINER_PARTIAL_MESSAGE", Array("true".utf8), to: &entry) }
        entry += fields
        // A journal that was restarted has another socket.
        for attempt in 0..<2 {
            do throws(SystemError) {
                if socket == nil { try connect() }
                guard let socket else { return false }
                var sent: Int?
                var failed: SystemError?
                entry.withUnsafeBytes { bytes in
                    do throws(SystemError) {
                        sent = try Launching.sendAvailable(socket.raw, bytes)
                    } catch {
                        failed = error
                    }
                }
                if let failed { throw failed }
                if sent == nil { dropReason = "the journal does not read" }
                return sent != nil
            } catch {
                socket = nil
                dropReason = error.reason
                if attempt > 0 { return false }
            }
        }
        return false
    }

    private func connect() throws(SystemError) {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = try FileDescriptor.open(String(path[..<slash]), [.pathOnly, .directory])
        let connected = SharedFileDescriptor(
            try UnixSocket.connect(String(path[path.index(after: slash)...]), in: directory.raw, .datagram))
        try Launching.setNonBlocking(connected.raw)
        socket = connected
    }
}
