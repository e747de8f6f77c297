package import Failure

/// Names of volumes: `[a-zA-Z0-9][a-zA-Z0-9_.-]+`, at most 255 bytes, so that a name is a file name and no path.
package enum VolumeName {
    package static func isValid(_ name: String) -> Bool {
        let bytes = name.utf8
        guard (2...255).contains(bytes.count), let first = bytes.first, isLetterOrDigit(first) else {
            return false
        }
        return bytes.allSatisfy {
            isLetterOrDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
                || $0 == UInt8(ascii: "-")
        }
    }

    /// Throws `.invalidArgument` that says what a name may be.
    package static func check(_ name: String) throws(Failure) {
        guard isValid(name) else {
            throw Failure(
                .invalidArgument, "\"\(name)\" cannot be the name of a volume",
                hint:
                    "A name is two or more letters, digits, _, . or -, and begins with a letter or a digit. "
                    + "A directory of the host is given by its absolute path.")
        }
    }

    /// 64 hex digits, as anonymous volumes are named.
    package static func isAnonymous(_ name: String) -> Bool {
        name.utf8.count == 64
            && name.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x7a).contains(byte | 0x20)
    }
}
