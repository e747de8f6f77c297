/// Something that happened to a container, an image or a volume: docker's vocabulary.
package struct Event: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable { case container, image, volume, network }

    package struct Attribute: Sendable, Equatable {
        package var key: String
        package var value: String

        package init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    /// Nanoseconds since 1970.
    package var time: Int64
    package var kind: Kind
    /// `start`, `exec_create: sh -c ls`
    package var action: String
    /// Of the container; an image's reference or id; a volume's name.
    package var id: String
    package var attributes: [Attribute]

    package init(time: Int64, kind: Kind, action: String, id: String, attributes: [Attribute] = []) {
        self.time = time
        self.kind = kind
        self.action = action
        self.id = id
        self.attributes = attributes
    }

    package subscript(key: String) -> String? { attributes.first { $0.key == key }?.value }
}

// MARK: - as a line of the journal

extension Event {
    /// `TIME TAB KIND TAB ACTION TAB ID TAB KEY=VALUE TAB …`; tabs, line feeds and backslashes in them are escaped.
    package func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: String(time).utf8)
        for field in [kind.rawValue, action, id] {
            bytes.append(Event.tab)
            Event.escape(field, &bytes)
        }
        if !attributes.isEmpty {
            bytes.append(Event.tab)
            bytes.append(contentsOf: Event.encoded(attributes))
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// nil for what is no event: a line that a full disk cut off.
    package init?(line: ArraySlice<UInt8>) {
        let fields = line.split(separator: Event.tab, maxSplits: 4, omittingEmptySubsequences: false)
        guard fields.count >= 4, let time = Int64(String(decoding: fields[0], as: UTF8.self)),
            let kind = Kind(rawValue: Event.unescaped(fields[1]))
        else {
            return nil
        }
        self.init(
            time: time, kind: kind, action: Event.unescaped(fields[2]), id: Event.unescaped(fields[3]),
            attributes: fields.count > 4 ? Event.attributes(fields[4]) : [])
    }

    /// As they stand in a line: for a monitor, which is told of its container in this form.
    package static func encoded(_ attributes: [Attribute]) -> [UInt8] {
        var bytes: [UInt8] = []
        for attribute in attributes {
            if !bytes.isEmpty { bytes.append(tab) }
            escape(attribute.key, &bytes)
            bytes.append(UInt8(ascii: "="))
            escape(attribute.value, &bytes)
        }
        return bytes
    }

    package static func attributes(_ encoded: ArraySlice<UInt8>) -> [Attribute] {
        encoded.split(separator: tab).map { field in
            let key = field.prefix { $0 != UInt8(ascii: "=") }
            return Attribute(unescaped(key), unescaped(field.dropFirst(key.count + 1)))
        }
    }

    private static let tab = UInt8(ascii: "\t")

    private static func escape(_ text: String, _ bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case tab: bytes.append(contentsOf: "\\t".utf8)
            case UInt8(ascii: "\\"): bytes.append(contentsOf: "\\\\".utf8)
            default: bytes.append(byte)
            }
        }
    }

    private static func unescaped(_ text: ArraySlice<UInt8>) -> String {
        guard text.contains(UInt8(ascii: "\\")) else { return String(decoding: text, as: UTF8.self) }
        var bytes: [UInt8] = []
        var isEscaped = false
        for byte in text {
            if isEscaped {
                switch byte {
                case UInt8(ascii: "n"): bytes.append(UInt8(ascii: "\n"))
                case UInt8(ascii: "t"): bytes.append(tab)
                default: bytes.append(byte)
                }
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
