internal import CivilTime
package import LinuxSystem

/// A line of a log file: `{"log":"text\n","stream":"stdout","time":"2026-11-22T19:10:16.123456789Z"}`.
package struct LogLine: Sendable, Equatable {
    package var log: [UInt8]
    package var isStderr: Bool
    package var time: Timestamp

    /// Any bytes become valid JSON: what is not UTF-8 is replaced by U+FFFD, as docker does.
    ///
    /// - Parameter attributes: a JSON object for `attrs`, or nothing.
    static func append(
        _ log: [UInt8], _ stream: String, _ time: Timestamp, attributes: [UInt8] = [],
        to lines: inout [UInt8]
    ) {
        lines.append(contentsOf: #"{"log":""#.utf8)
        appendEscaped(log, to: &lines)
        lines.append(contentsOf: #"","stream":""#.utf8)
        lines.append(contentsOf: stream.utf8)
        lines.append(contentsOf: #"""#.utf8)
        if !attributes.isEmpty {
            lines.append(contentsOf: #","attrs":"#.utf8)
            lines.append(contentsOf: attributes)
        }
        lines.append(contentsOf: #","time":""#.utf8)
        LogTime.append(time, to: &lines)
        lines.append(contentsOf: "\"}\n".utf8)
    }

    /// `2026-11-22T19:10:16.123456789Z stdout F text`; P for a part of a line.
    static func appendKubernetes(
        _ log: [UInt8], _ stream: String, _ time: Timestamp, to lines: inout [UInt8]
    ) {
        let isWhole = log.last == UInt8(ascii: "\n")
        LogTime.append(time, to: &lines)
        lines.append(contentsOf: " \(stream) \(isWhole ? "F" : "P") ".utf8)
        lines.append(contentsOf: log)
        if !isWhole { lines.append(UInt8(ascii: "\n")) }
    }

    /// An object of strings: key, value, key, value.
    static func object(_ words: [String]) -> [UInt8] {
        if words.isEmpty { return [] }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            bytes.append(UInt8(ascii: bytes.isEmpty ? "{" : ","))
            bytes.append(UInt8(ascii: "\""))
            appendEscaped(Array(words[index].utf8), to: &bytes)
            bytes.append(contentsOf: #"":""#.utf8)
            appendEscaped(Array(words[index + 1].utf8), to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private static func appendEscaped(_ bytes: [UInt8], to lines: inout [UInt8]) {
        let needsRepair = bytes.contains { $0 >= 0x80 }
        let clean = needsRepair ? Array(String(decoding: bytes, as: UTF8.self).utf8) : bytes
        let digits = Array("0123456789abcdef".utf8)
        for byte in clean {
            switch byte {
            case UInt8(ascii: "\""): lines.append(contentsOf: #"\""#.utf8)
            case UInt8(ascii: "\\"): lines.append(contentsOf: #"\\"#.utf8)
            case UInt8(ascii: "\n"): lines.append(contentsOf: #"\n"#.utf8)
            case UInt8(ascii: "\r"): lines.append(contentsOf: #"\r"#.utf8)
            case UInt8(ascii: "\t"): lines.append(contentsOf: #"\t"#.utf8)
            case 0..<0x20, 0x7f:
                lines.append(contentsOf: #"\u00"#.utf8)
                lines.append(digits[Int(byte >> 4)])
                lines.append(digits[Int(byte & 15)])
            default: lines.append(byte)
            }
        }
    }

    /// nil where the line is not one of ours, as half a line after a power cut.
    package init?(parsing line: ArraySlice<UInt8>) {
        if line.first == UInt8(ascii: "{") { self.init(json: line) } else { self.init(kubernetes: line) }
    }

    private init?(json line: ArraySlice<UInt8>) {
        var scanner = LogLineScanner(line)
        var log: [UInt8]?
        var stream: [UInt8]?
        var time: Timestamp?
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        repeat {
            guard let key = scanner.string(), scanner.take(UInt8(ascii: ":")) else { return nil }
            if key.elementsEqual("attrs".utf8) {
                guard scanner.skipObject() else { return nil }
                continue
            }
            guard let value = scanner.string() else { return nil }
            switch String(decoding: key, as: UTF8.self) {
            case "log": log = value
            case "stream": stream = value
            case "time": time = LogTime.parse(value)
            default: break
            }
        } while scanner.take(UInt8(ascii: ","))
        guard scanner.take(UInt8(ascii: "}")), let log, let stream, let time else { return nil }
        self.log = log
        isStderr = stream.elementsEqual("stderr".utf8)
        self.time = time
    }

    private init?(kubernetes line: ArraySlice<UInt8>) {
        let parts = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let time = LogTime.parse(Array(parts[0])) else { return nil }
        isStderr = parts[1].elementsEqual("stderr".utf8)
        guard isStderr || parts[1].elementsEqual("stdout".utf8) else { return nil }
        log = Array(parts[3])
        if parts[2].first == UInt8(ascii: "F") { log.append(UInt8(ascii: "\n")) }
        self.time = time
    }
}

/// As much JSON as a log line has: objects of strings.
private struct LogLineScanner {
    private let line: ArraySlice<UInt8>
    private var at: Int

    init(_ line: ArraySlice<UInt8>) {
        self.line = line
        at = line.startIndex
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard at < line.endIndex, line[at] == byte else { return false }
        at += 1
        return true
    }

    /// An object of strings.
    mutating func skipObject() -> Bool {
        guard take(UInt8(ascii: "{")) else { return false }
        repeat {
            guard string() != nil, take(UInt8(ascii: ":")), string() != nil else { return false }
        } while take(UInt8(ascii: ","))
        return take(UInt8(ascii: "}"))
    }

    mutating func string() -> [UInt8]? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var value: [UInt8] = []
        while at < line.endIndex {
            let byte = line[at]
            at += 1
            if byte == UInt8(ascii: "\"") { return value }
            guard byte == UInt8(ascii: "\\") else {
                value.append(byte)
                continue
            }
            guard at < line.endIndex else { return nil }
            let escaped = line[at]
            at += 1
            switch escaped {
            case UInt8(ascii: "n"): value.append(10)
            case UInt8(ascii: "r"): value.append(13)
            case UInt8(ascii: "t"): value.append(9)
            case UInt8(ascii: "b"): value.append(8)
            case UInt8(ascii: "f"): value.append(12)
            case UInt8(ascii: "u"):
                guard at + 4 <= line.endIndex,
                    let scalar = UInt32(String(decoding: line[at..<at + 4], as: UTF8.self), radix: 16)
                else { return nil }
                at += 4
                value.append(contentsOf: String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8)
            default: value.append(escaped)
            }
        }
        return nil
    }
}

/// RFC 3339 in UTC with nine digits of a second: sorts as text, as docker's logs do with -t.
package enum LogTime {
    package static func text(_ time: Timestamp) -> String {
        var bytes: [UInt8] = []
        append(time, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    static func append(_ time: Timestamp, to bytes: inout [UInt8]) {
        let civil = CivilTime(secondsSinceEpoch: time.seconds)
        append(civil.year, 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(civil.month, 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        append(civil.day, 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        append(civil.hour, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(civil.minute, 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        append(civil.second, 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        append(Int64(time.nanoseconds), 9, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    private static func append(_ number: Int64, _ width: Int, to bytes: inout [UInt8]) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    static func parse(_ text: [UInt8]) -> Timestamp? {
        guard text.count >= 20, text.last == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int64? { Int64(String(decoding: text[range], as: UTF8.self)) }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        let civil = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        var nanoseconds: UInt32 = 0
        if text.count > 20 {
            var digits = String(decoding: text[20..<(text.count - 1)], as: UTF8.self)
            guard digits.utf8.count <= 9 else { return nil }
            digits += String(repeating: "0", count: 9 - digits.utf8.count)
            guard let value = UInt32(digits) else { return nil }
            nanoseconds = value
        }
        return Timestamp(seconds: civil.secondsSinceEpoch, nanoseconds: nanoseconds)
    }
}
