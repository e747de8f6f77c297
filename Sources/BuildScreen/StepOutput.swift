/// What a step's command has written, line by line, and the last of it for the case that it fails.
struct StepOutput: Sendable {
    struct Line: Sendable, Equatable {
        /// Since the step began.
        let elapsed: Int64
        let text: String

        /// `0.123 text`
        var shown: String { "\(Seconds.thousandths(elapsed)) \(text)" }
    }

    private enum Reader {
        case filtered(TerminalText)
        /// For a file, which is not harmed by what a terminal is.
        case raw([UInt8])
    }

    static let kept = 20
    private static let longestRawLine = 64 << 10

    private(set) var last: [Line] = []
    private var reader: Reader
    private let begun: Int64

    init(filters: Bool, begun: Int64) {
        reader = filters ? .filtered(TerminalText()) : .raw([])
        self.begun = begun
    }

    /// The last lines, with the one that has no end yet.
    func tail(_ count: Int, at now: Int64) -> [Line] {
        var lines = last
        if case .filtered(let text) = reader, !text.current.isEmpty {
            lines.append(Line(elapsed: now - begun, text: text.current))
        }
        return Array(lines.suffix(count))
    }

    /// Answers the new lines.
    mutating func add(_ bytes: [UInt8], at now: Int64) -> [Line] {
        let texts: [String]
        switch reader {
        case .filtered(var text):
            // Not two owners of one buffer.
            reader = .raw([])
            texts = text.feed(bytes)
            reader = .filtered(text)
        case .raw(var rest):
            reader = .raw([])
            rest += bytes
            var parts = rest.split(separator: 0x0a, omittingEmptySubsequences: false)
            var ended = parts.popLast().map(Array.init) ?? []
            var found = parts.map(StepOutput.text)
            if ended.count > StepOutput.longestRawLine {
                found.append(StepOutput.text(ended[...]))
                ended = []
            }
            texts = found
            reader = .raw(ended)
        }
        return keep(texts, now)
    }

    mutating func finish(at now: Int64) -> [Line] {
        switch reader {
        case .filtered(var text):
            let rest = text.finish()
            reader = .filtered(text)
            return keep(rest.map { [$0] } ?? [], now)
        case .raw(let rest):
            reader = .raw([])
            return keep(rest.isEmpty ? [] : [StepOutput.text(rest[...])], now)
        }
    }

    private mutating func keep(_ texts: [String], _ now: Int64) -> [Line] {
        let lines = texts.map { Line(elapsed: now - begun, text: $0) }
        last = Array((last.suffix(StepOutput.kept) + lines.suffix(StepOutput.kept)).suffix(StepOutput.kept))
        return lines
    }

    private static func text(_ line: ArraySlice<UInt8>) -> String {
        var line = line
        while line.last == 0x0d { line = line.dropLast() }
        return String(decoding: line, as: UTF8.self)
    }
}

enum Seconds {
    static func tenths(_ nanoseconds: Int64) -> String {
        let tenths = max(0, nanoseconds) / 100_000_000
        return "\(tenths / 10).\(tenths % 10)"
    }

    static func thousandths(_ nanoseconds: Int64) -> String {
        let all = max(0, nanoseconds) / 1_000_000
        let rest = String(all % 1000)
        return "\(all / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}
