/// What a terminal would show of the bytes that a command wrote, as lines of plain text.
///
/// A command is a stranger: no control character and no escape sequence of its gets through, so that it can neither
/// draw over other lines nor make the terminal answer. A carriage return begins the line anew: of a progress bar the
/// last state stays. Sequences and characters may be cut anywhere between two calls.
package struct TerminalText: Sendable {
    private enum Mode {
        case text
        /// After ESC; `intermediate`: its two-character commands have bytes between.
        case escape
        /// `ESC [` until its final byte.
        case sequence
        /// `ESC ]`, `ESC P`, …: until BEL or ST, or the line's end, for nobody wants all output to vanish in one.
        case string
        case stringEscape
    }

    /// No line grows without an end: it is given out in pieces.
    package static let longestLine = 8192

    private var mode = Mode.text
    private var line = String.UnicodeScalarView()
    private var count = 0
    private var column = 0
    private var beginsAnew = false
    /// A character of which not all bytes have come.
    private var cut: [UInt8] = []

    package init() {}

    /// The line that has no end yet.
    package var current: String { String(line) }

    /// Answers the lines that these bytes have ended.
    package mutating func feed(_ bytes: [UInt8]) -> [String] {
        var bytes = cut + bytes
        cut = Array(bytes.suffix(TerminalText.incomplete(bytes)))
        bytes.removeLast(cut.count)
        var lines: [String] = []
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars { take(scalar, &lines) }
        return lines
    }

    /// The rest, where there is any.
    package mutating func finish() -> String? {
        let rest = line.isEmpty ? nil : String(line)
        self = TerminalText()
        return rest
    }

    /// Bytes at the end that may become a character.
    private static func incomplete(_ bytes: [UInt8]) -> Int {
        for back in 1...3 where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xc0 == 0x80 { continue }
            let length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }

    private mutating func take(_ scalar: Unicode.Scalar, _ lines: inout [String]) {
        let value = scalar.value
        switch mode {
        case .text: show(scalar, &lines)
        case .escape:
            switch value {
            case 0x5b: mode = .sequence
            case 0x50, 0x58, 0x5d, 0x5e, 0x5f: mode = .string
            case 0x20...0x2f: break
            case 0x30...0x7e: mode = .text
            default: leave(scalar, &lines)
            }
        case .sequence:
            switch value {
            case 0x20...0x3f: break
            case 0x40...0x7e: mode = .text
            default: leave(scalar, &lines)
            }
        case .string:
            switch value {
            case 0x07, 0x18, 0x1a, 0x9c: mode = .text
            case 0x1b: mode = .stringEscape
            case 0x0a: leave(scalar, &lines)
            default: break
            }
        case .stringEscape:
            mode = value == 0x5c ? .text : .escape
            // An ESC that does not end the string begins another sequence.
            if mode == .escape { take(scalar, &lines) }
        }
    }

    /// A sequence that is broken off.
    private mutating func leave(_ scalar: Unicode.Scalar, _ lines: inout [String]) {
        mode = .text
        show(scalar, &lines)
    }

    private mutating func show(_ scalar: Unicode.Scalar, _ lines: inout [String]) {
        switch scalar.value {
        case 0x0a:
            lines.append(String(line))
            clear()
        case 0x0d: beginsAnew = true
        case 0x09: for _ in 0..<(8 - column % 8) { append(" ", &lines) }
        case 0x08:
            if let last = line.popLast() {
                count -= 1
                column -= TextWidth.of(last)
            }
        case 0x1b: mode = .escape
        case 0x9b: mode = .sequence
        case 0x90, 0x98, 0x9d, 0x9e, 0x9f: mode = .string
        default: if TerminalText.isPlain(scalar) { append(scalar, &lines) }
        }
    }

    private mutating func append(_ scalar: Unicode.Scalar, _ lines: inout [String]) {
        if beginsAnew { clear() }
        line.append(scalar)
        count += 1
        column += TextWidth.of(scalar)
        if count >= TerminalText.longestLine {
            lines.append(String(line))
            clear()
        }
    }

    private mutating func clear() {
        line.removeAll(keepingCapacity: true)
        (count, column, beginsAnew) = (0, 0, false)
    }

    /// Neither a control character nor one that turns the direction of the text or hides in it.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        if (0x20..<0x7f).contains(scalar.value) { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return false
        default: return true
        }
    }
}

extension TerminalText {
    /// A text of ours with a stranger's words in it, as one line.
    package static func line(_ text: String) -> String { lines(text).joined(separator: " ") }

    package static func lines(_ text: String) -> [String] {
        var filter = TerminalText()
        var lines = filter.feed(Array(text.utf8))
        if let rest = filter.finish() { lines.append(rest) }
        return lines
    }
}
