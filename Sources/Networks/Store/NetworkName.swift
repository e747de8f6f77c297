package import Failure

/// Names of networks: `[a-zA-Z0-9][a-zA-Z0-9_.-]*`, at most 128 bytes, so that a name is a file name and no path, and no
/// flag or `container:ID`.
package enum NetworkName {
    /// What `--network` means by itself.
    package static let predefined = ["bridge", "host", "none", "default"]

    package static func isValid(_ name: String) -> Bool {
        let bytes = name.utf8
        guard (1...128).contains(bytes.count), let first = bytes.first, isLetterOrDigit(first) else {
            return false
        }
        return bytes.allSatisfy {
            isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
                || $0 == UInt8(ascii: "-")
        }
    }

    /// Of a network that is to be made. Throws `.invalidArgument` that says what a name may be.
    package static func check(_ name: String) throws(Failure) {
        guard isValid(name) else {
            throw Failure(
                .invalidArgument, "\"\(name)\" cannot be the name of a network",
                hint: "a name is letters, digits, _, . or -, and begins with a letter or a digit")
        }
        guard !predefined.contains(name) else {
            throw Failure(.invalidArgument, "\(name) is a network that is always there")
        }
        guard !isID(name) else {
            throw Failure(.invalidArgument, "\"\(name)\" would be taken for the id of a network")
        }
    }

    /// 64 hex digits.
    package static func isID(_ text: String) -> Bool { text.utf8.count == 64 && isHex(text) }

    static func isHex(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
    }
}
