package import Failure

/// A small record as text: a first line that names its kind and version, then `key value` lines. Read on the start
/// path, where a JSON decoder would cost more than the rest; readable and greppable for people.
///
/// A repeated key is a list. `\n`, `\r` and `\\` are escaped in values, so that a value is always one line. Keys that a
/// reader does not know are kept.
package struct FlatRecord: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package var key: String
        package var value: String
    }

    package let kind: String
    package private(set) var entries: [Entry] = []

    package init(kind: String) { self.kind = kind }

    /// `.dataLoss` where the text is another kind or no record at all.
    package init(kind: String, parsing bytes: [UInt8], name: @autoclosure () -> String) throws(Failure) {
        self.kind = kind
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true).makeIterator()
        guard let first = lines.next(), first.elementsEqual(kind.utf8) else {
            throw Failure(.dataLoss, "\(name()) is not a \"\(kind)\" record")
        }
        while let line = lines.next() {
            let key = line.prefix { $0 != UInt8(ascii: " ") }
            entries.append(
                Entry(
                    key: String(decoding: key, as: UTF8.self),
                    value: FlatRecord.unescape(line.dropFirst(key.count + 1))))
        }
    }

    package func first(_ key: String) -> String? { entries.first { $0.key == key }?.value }

    package func all(_ key: String) -> [String] { entries.filter { $0.key == key }.map(\.value) }

    package mutating func add(_ key: String, _ value: String) {
        entries.append(Entry(key: key, value: value))
    }

    /// nil adds nothing.
    package mutating func add(_ key: String, ifPresent value: String?) {
        if let value { add(key, value) }
    }

    package mutating func add(_ key: String, all values: [String]) {
        for value in values { add(key, value) }
    }

    package mutating func set(_ key: String, _ value: String) {
        entries.removeAll { $0.key == key }
        add(key, value)
    }

    package var bytes: [UInt8] {
        var out = Array(kind.utf8)
        out.append(UInt8(ascii: "\n"))
        for entry in entries {
            out.append(contentsOf: entry.key.utf8)
            out.append(UInt8(ascii: " "))
            for byte in entry.value.utf8 {
                switch byte {
                case UInt8(ascii: "\n"): out.append(contentsOf: "\\n".utf8)
                case UInt8(ascii: "\r"): out.append(contentsOf: "\\r".utf8)
                case UInt8(ascii: "\\"): out.append(contentsOf: "\\\\".utf8)
                default: out.append(byte)
                }
            }
            out.append(UInt8(ascii: "\n"))
        }
        return out
    }

    private static func unescape(_ value: ArraySlice<UInt8>) -> String {
        guard value.contains(UInt8(ascii: "\\")) else { return String(decoding: value, as: UTF8.self) }
        var out: [UInt8] = []
        var escaped = false
        for byte in value {
            if escaped {
                out.append(
                    byte == UInt8(ascii: "n")
                        ? UInt8(ascii: "\n") : byte == UInt8(ascii: "r") ? UInt8(ascii: "\r") : byte)
                escaped = false
            } else if byte == UInt8(ascii: "\\") {
                escaped = true
            } else {
                out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
