internal import Failure
internal import OCI

/// The file in `refs/` that belongs to a name.
enum ReferenceName {
    /// AtomicFile's temporary name is 14 bytes longer, and a name has at most 255.
    static let limit = 240

    /// `docker.io%2Flibrary%2Fredis:7`: the canonical name, every byte but letters, digits and `.-_:@` as %XX. A name
    /// too long for a file becomes `%` and its digest, which no encoded name begins with; the record has it whole.
    static func file(for reference: Reference) throws(Failure) -> String {
        let name = key(reference).canonical
        let hex = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in name.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2e, 0x2d, 0x5f, 0x3a, 0x40: out.append(byte)
            default: out += [0x25, hex[Int(byte >> 4)], hex[Int(byte & 15)]]
            }
        }
        guard out.count <= limit, out.first != 0x25, out.first != 0x2e else {
            return "%\(try ContentHash.digest(of: Array(name.utf8)).hex)"
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// What a name means to the store: with a digest the tag says nothing; with neither, it is `latest`.
    static func key(_ reference: Reference) -> Reference {
        if reference.digest != nil { return reference.with(tag: nil) }
        return reference.tag == nil ? reference.with(tag: Reference.defaultTag) : reference
    }

    /// The file of an image without a name.
    static func file(forManifest digest: Digest) -> String { "@\(digest)" }
}
