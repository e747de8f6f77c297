/// A domain name as a message has it: each label after its length, the root's zero at the end; at most 255 bytes
/// (RFC 1035, sections 2.3.4 and 3.1). Equal are names that differ in the case of letters alone (RFC 4343).
package struct DomainName: Sendable {
    /// Without compression, in the case that it was written in.
    package let wire: [UInt8]

    static let maximumSize = 255

    /// - Parameter wire: whole and valid.
    init(checked wire: [UInt8]) { self.wire = wire }

    /// `web.example.org`, with or without a dot at the end; nil for what no message can have: empty labels, labels of
    /// more than 63 bytes, names of more than 255.
    package init?(_ text: String) {
        var wire: [UInt8] = []
        wire.reserveCapacity(text.utf8.count + 2)
        var labels = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if labels.last?.isEmpty == true { labels.removeLast() }
        for label in labels {
            guard (1...63).contains(label.count) else { return nil }
            wire.append(UInt8(label.count))
            wire.append(contentsOf: label)
        }
        wire.append(0)
        guard wire.count <= DomainName.maximumSize else { return nil }
        self.wire = wire
    }

    /// The first label first.
    package var labels: [ArraySlice<UInt8>] {
        var labels: [ArraySlice<UInt8>] = []
        var at = 0
        while wire[at] != 0 {
            let size = Int(wire[at])
            labels.append(wire[(at + 1)...(at + size)])
            at += 1 + size
        }
        return labels
    }

    /// Lower case, dots between, none at the end; nil where a label has other bytes than letters, digits, `-` and `_`:
    /// no endpoint has such a name, and what is answered is safe as a file's name.
    package var hostName: String? {
        var text: [UInt8] = []
        text.reserveCapacity(wire.count)
        for label in labels {
            if !text.isEmpty { text.append(UInt8(ascii: ".")) }
            for byte in label {
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "-"), UInt8(ascii: "_"):
                    text.append(byte)
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): text.append(byte | 0x20)
                default: return nil
                }
            }
        }
        return text.isEmpty ? nil : String(decoding: text, as: UTF8.self)
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        // Lengths are below 64: they are no letters.
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}

extension DomainName: Equatable {
    package static func == (a: DomainName, b: DomainName) -> Bool {
        guard a.wire.count == b.wire.count else { return false }
        for i in a.wire.indices where lower(a.wire[i]) != lower(b.wire[i]) { return false }
        return true
    }
}
