/// RFC 6266: the name that a server gives a file.
enum ContentDisposition {
    /// `filename*` counts before `filename`; directories are taken off, as a stranger does not choose them.
    static func fileName(_ header: String?) -> String? {
        guard let header else { return nil }
        var plain: String?
        for (name, value) in parameters(header) {
            if name == "filename*" {
                // CHARSET'LANGUAGE'TEXT
                let parts = value.split(separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
                if parts.count == 3, parts[0].lowercased() == "utf-8" || parts[0].lowercased() == "us-ascii",
                    let found = FileAddress.fileName(FileAddress.decoded(parts[2]))
                {
                    return found
                }
            } else if name == "filename", plain == nil {
                plain = FileAddress.fileName(value)
            }
        }
        return plain
    }

    private static func parameters(_ header: String) -> [(name: String, value: String)] {
        var found: [(name: String, value: String)] = []
        var rest = header[...]
        while let semicolon = rest.firstIndex(of: ";") {
            rest = rest[rest.index(after: semicolon)...].drop { $0 == " " || $0 == "\t" }
            let name = rest.prefix { $0 != "=" && $0 != ";" }
            rest = rest[name.endIndex...]
            guard rest.first == "=" else { continue }
            rest = rest.dropFirst()
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let next = rest.popFirst(), next != "\"" {
                    if next == "\\", let escaped = rest.popFirst() {
                        value.append(escaped)
                    } else {
                        value.append(next)
                    }
                }
            } else {
                value = String(rest.prefix { $0 != ";" && $0 != " " && $0 != "\t" })
                rest = rest.dropFirst(value.count)
            }
            found.append((name.lowercased(), value))
        }
        return found
    }
}
