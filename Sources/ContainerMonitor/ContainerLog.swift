package import LinuxSystem

/// Where a container's output is kept. Nothing that happens to it ends or blocks the container: what cannot be kept is
/// dropped and counted.
package protocol ContainerLog: AnyObject {
    /// Lines that were dropped so far.
    var droppedLines: UInt64 { get }
    /// Why, the last time.
    var dropReason: String { get }
    func write(_ bytes: UnsafeRawBufferPointer, from stream: LogStream, at time: Timestamp)
    /// Writes what has no line end yet; at the container's end.
    func finish(at time: Timestamp)
}

package enum LogStream: String, Sendable { case stdout, stderr }

/// Cuts what comes from a container into lines, and lines longer than 16 KiB into parts, as docker does.
struct LineCutter {
    static let longestPart = 16 << 10

    private var held: [LogStream: [UInt8]] = [:]

    /// `body` gets each line with its end; a part has none.
    mutating func cut(
        _ bytes: UnsafeRawBufferPointer, from stream: LogStream, _ body: ([UInt8]) -> Void
    ) {
        var line = held.removeValue(forKey: stream) ?? []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            line.append(contentsOf: rest[...end])
            LineCutter.giveParts(of: &line, body)
            body(line)
            line.removeAll(keepingCapacity: true)
            rest = rest[(end + 1)...]
        }
        line.append(contentsOf: rest)
        LineCutter.giveParts(of: &line, body)
        if !line.isEmpty { held[stream] = line }
    }

    private static func giveParts(of line: inout [UInt8], _ body: ([UInt8]) -> Void) {
        while line.count > longestPart {
            body(Array(line.prefix(longestPart)))
            line.removeFirst(longestPart)
        }
    }

    mutating func finish(_ body: (LogStream, [UInt8]) -> Void) {
        for stream in [LogStream.stdout, .stderr] {
            if let line = held.removeValue(forKey: stream) { body(stream, line) }
        }
    }
}
