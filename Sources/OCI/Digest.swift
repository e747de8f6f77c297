package import Failure

/// `algorithm:hex` (image-spec descriptor.md, "Digests"). Only sha256 and sha512 in lower-case hex are accepted,
/// so a digest is always safe as a file name.
package struct Digest: Hashable, Sendable, CustomStringConvertible {
    package enum Algorithm: String, Sendable {
        case sha256, sha512

        package var hexLength: Int { self == .sha256 ? 64 : 128 }
    }

    package let algorithm: Algorithm
    package let hex: String

    package init(algorithm: Algorithm, hex: String) throws(Failure) {
        guard hex.utf8.count == algorithm.hexLength,
            hex.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else {
            throw Failure(
                .invalidArgument,
                "\("\(algorithm.rawValue):\(hex)".quotedForMessage) is not a digest: \(algorithm.rawValue) needs \(algorithm.hexLength) lower-case hex digits"
            )
        }
        self.algorithm = algorithm
        self.hex = hex
    }

    package init(_ text: String) throws(Failure) {
        guard let colon = text.firstIndex(of: ":"),
            let algorithm = Algorithm(rawValue: String(text[..<colon]))
        else {
            throw Failure(.invalidArgument, "\(text.quotedForMessage) is not a sha256 or sha512 digest")
        }
        try self.init(algorithm: algorithm, hex: String(text[text.index(after: colon)...]))
    }

    package var description: String { "\(algorithm.rawValue):\(hex)" }

    /// The first 12 hex digits, as docker prints an id.
    package var short: String { String(hex.prefix(12)) }
}

extension Digest: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        do {
            try self.init(text)
        } catch {
            // A DecodingError carries the field's path; a Failure thrown here would lose it.
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.message)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
