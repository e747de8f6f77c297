package import Failure

/// The qualified name of a device of the Container Device Interface: `vendor.com/class=name`.
package struct CDIDeviceName: Hashable, Sendable, CustomStringConvertible {
    /// `vendor.com/class`
    package let kind: String
    package let name: String

    package var description: String { "\(kind)=\(name)" }

    /// nil for what is no such name.
    package init?(_ text: String) {
        guard let equals = text.firstIndex(of: "=") else { return nil }
        self.init(kind: String(text[..<equals]), name: String(text[text.index(after: equals)...]))
    }

    package init?(kind: String, name: String) {
        let parts = kind.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count <= 253, parts[1].utf8.count <= 63,
            CDIDeviceName.isName(parts[0], besideWords: "-_."),
            CDIDeviceName.isName(parts[1], besideWords: "-_."),
            CDIDeviceName.isLetter(kind.utf8.first), CDIDeviceName.isLetter(parts[1].utf8.first),
            CDIDeviceName.isName(name[...], besideWords: "-_.:")
        else { return nil }
        self.kind = kind
        self.name = name
    }

    /// Letters and digits at both ends, and between them these others too.
    private static func isName(_ text: Substring, besideWords others: String) -> Bool {
        func isWord(_ byte: UInt8?) -> Bool {
            isLetter(byte) || byte.map { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) } == true
        }
        return isWord(text.utf8.first) && isWord(text.utf8.last)
            && text.utf8.allSatisfy { isWord($0) || others.utf8.contains($0) }
    }

    private static func isLetter(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}

extension CDIDeviceName {
    /// `--device`: a qualified name, or a path of the host.
    /// - Returns: nil for a path that is written as it must be.
    package static func ofDeviceFlag(_ text: String) throws(Failure) -> CDIDeviceName? {
        if let name = CDIDeviceName(text) { return name }
        guard text.utf8.first == UInt8(ascii: "/") || !text.contains("=") else {
            throw Failure(
                .invalidArgument,
                "neither /dev/HOST[:/dev/CONTAINER][:rwm] nor the name of a CDI device, vendor.com/class=name"
            )
        }
        _ = try DeviceRequest.parse(text)
        return nil
    }
}
