import Glibc
import LinuxSystem
import Testing

@testable import ContainerMonitor

@Suite struct LogTests {
    private final class Place {
        let path = "/dev/shm/ctr-test-\(randomHex(bytes: 6))"
        init() throws { try Directory.ensurePath(path) }
        deinit { try? Directory.removeTree(path) }

        func text(_ number: UInt64 = 1) throws -> String {
            String(decoding: try AtomicFile.read("\(path)/\(LogFile.name(number))") ?? [], as: UTF8.self)
        }

        func writer(
            _ format: LogWriter.Format = .json(), size: UInt64 = 0, files: UInt32 = 1
        ) throws -> LogWriter {
            try LogWriter(
                directory: try Directory.open(path), format: format, maximumSize: size, maximumFiles: files)
        }

        func reader() throws -> LogReader { LogReader(directory: try Directory.open(path)) }
    }

    private func write(_ text: String, to log: some ContainerLog, _ stream: LogStream = .stdout) {
        Array(text.utf8).withUnsafeBytes {
            log.write($0, from: stream, at: Timestamp(seconds: 0, nanoseconds: 5))
        }
    }

    @Test func theLinesOfBothFormats() throws {
        let json = try Place()
        let attributes = LogLine.object(["tag", "a\"b", "env", "x"])
        write("one\ntwo", to: try json.writer(.json(attributes: attributes)))
        #expect(
            try json.text()
                == #"{"log":"one\n","stream":"stdout","attrs":{"tag":"a\"b","env":"x"},"time":"1970-01-01T00:00:00.000000005Z"}"#
                + "\n")
        let kubernetes = try Place()
        let writer = try kubernetes.writer(.kubernetes)
        write("one\n two", to: writer, .stderr)
        writer.finish(at: Timestamp(seconds: 0, nanoseconds: 5))
        #expect(
            try kubernetes.text() == """
                1970-01-01T00:00:00.000000005Z stderr F one
                1970-01-01T00:00:00.000000005Z stderr P  two

                """)
        for place in [json, kubernetes] {
            let reader = try place.reader()
            try reader.start(tail: nil)
            var lines: [LogLine] = []
            try reader.read {
                lines.append($0)
                return true
            }
            #expect(lines.first?.log == Array("one\n".utf8))
            #expect(lines.first?.time == Timestamp(seconds: 0, nanoseconds: 5))
            #expect(lines.first?.isStderr == (place === kubernetes))
            if place === kubernetes { #expect(lines.last?.log == Array(" two".utf8)) }
        }
    }

    /// The reader sees the end of a file, then the writer writes on in it and begins the next: nothing may be missed.
    @Test func aReaderMissesNothingBetweenTheEndAndTheNextFile() throws {
        let place = try Place()
        let writer = try place.writer(size: 300, files: 100)
        let reader = try place.reader()
        try reader.start(tail: nil)
        var seen: [String] = []
        for number in 0..<200 {
            write("line \(number)\n", to: writer)
            if number % 3 == 0 {
                try reader.read {
                    seen.append(String(decoding: $0.log, as: UTF8.self))
                    return true
                }
            }
        }
        try reader.read {
            seen.append(String(decoding: $0.log, as: UTF8.self))
            return true
        }
        #expect(seen == (0..<200).map { "line \($0)\n" })
    }

    @Test func onlyTheLastFilesAreKept() throws {
        let place = try Place()
        let writer = try place.writer(size: 200, files: 3)
        for number in 0..<40 { write("line \(number)\n", to: writer) }
        let numbers = try LogFile.numbers(in: try Directory.open(place.path))
        #expect(numbers.count == 3)
        #expect(try place.text(numbers.last ?? 0).contains("line 39"))
    }

    /// Half a line of a write that failed, or of a power cut, does not take the next line along.
    @Test func aBrokenLineIsEndedBeforeTheNext() throws {
        let place = try Place()
        write("whole\n", to: try place.writer())
        let file = try FileDescriptor.open("\(place.path)/000001.log", [.writeOnly, .append])
        try file.write(#"{"log":"bro"#)
        write("next\n", to: try place.writer())
        var lines: [String] = []
        let reader = try place.reader()
        try reader.start(tail: nil)
        try reader.read {
            lines.append(String(decoding: $0.log, as: UTF8.self))
            return true
        }
        #expect(lines == ["whole\n", "next\n"])
    }

    @Test func lostLinesAreCountedAndTold() throws {
        let place = try Place()
        let writer = try place.writer()
        writer.drop(3, "no space left on device")
        write("next\n", to: writer)
        #expect(writer.droppedLines == 3)
        let text = try place.text()
        #expect(text.contains(#"{"log":"ctr: 3 lines lost: no space left on device\n","stream":"stderr""#))
        write("again\n", to: writer)
        #expect(try place.text().split(separator: "\n").count == 3)
    }

    @Test func theJournalGetsADatagramALine() throws {
        let place = try Place()
        let directory = try Directory.open(place.path)
        let log = JournalLog(
            fields: ["CONTAINER_NAME", "box", "LABEL", "a\nb"], path: "\(place.path)/socket")
        write("lost\n", to: log)
        #expect(log.droppedLines == 1)
        let socket = try UnixSocket.listen("socket", in: directory.raw, .datagram)
        write("one\ntwo", to: log, .stderr)
        func next() throws -> String {
            var buffer = [UInt8](repeating: 0, count: 4096)
            let size = try buffer.withUnsafeMutableBytes { try Launching.readAvailable(socket.raw, into: $0) }
            return String(decoding: buffer[..<(size ?? 0)], as: UTF8.self)
        }
        #expect(try next().contains("MESSAGE=ctr: 1 line lost: "))
        let entry = try next()
        #expect(entry.hasPrefix("PRIORITY=3\nMESSAGE=one\nCONTAINER_NAME=box\n"))
        #expect(entry.hasSuffix("LABEL\n\u{3}\0\0\0\0\0\0\0a\nb\n"))
        log.finish(at: Timestamp(seconds: 0, nanoseconds: 0))
        #expect(try next().contains("MESSAGE=two\nCONTAINER_PARTIAL_MESSAGE=true\n"))
    }
}
