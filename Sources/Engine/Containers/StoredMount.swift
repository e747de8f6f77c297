package import Failure

/// A mount of a container as its record keeps it: volumes by name, binds by host path.
package struct StoredMount: Sendable, Equatable {
    package enum Kind: String, Sendable { case volume, bind, tmpfs }

    package var kind: Kind
    /// The volume's name, the host's path; empty for a tmpfs.
    package var source: String
    package var target: String
    package var isReadOnly: Bool
    /// `rprivate`, `rslave`, …; empty: private.
    package var propagation: String
    /// runtime-spec mount options beside those: `size=64m`, `noexec`, `rbind`.
    package var options: [String]
    /// A path below the volume's directory that is mounted in its place; empty: the directory itself.
    package var subpath: String
    /// The volume is not filled from the image.
    package var isNeverFilled: Bool

    package init(
        kind: Kind, source: String, target: String, isReadOnly: Bool = false, propagation: String = "",
        options: [String] = [], subpath: String = "", isNeverFilled: Bool = false
    ) {
        self.kind = kind
        self.source = source
        self.target = target
        self.isReadOnly = isReadOnly
        self.propagation = propagation
        self.options = options
        self.subpath = subpath
        self.isNeverFilled = isNeverFilled
    }

    /// One line: eight fields between tabs; `%` and tabs in a field are written as `%25` and `%09`.
    package var line: String {
        [
            kind.rawValue, source, target, isReadOnly ? "ro" : "rw", propagation,
            options.joined(separator: ","),
            subpath, isNeverFilled ? "nocopy" : "",
        ].map(StoredMount.escaped).joined(separator: "\t")
    }

    package init(line: String) throws(Failure) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(StoredMount.unescaped)
        guard fields.count == 8, let kind = Kind(rawValue: fields[0]) else {
            throw Failure(.dataLoss, "a container's record has the damaged mount \"\(line)\"")
        }
        self.init(
            kind: kind, source: fields[1], target: fields[2], isReadOnly: fields[3] == "ro",
            propagation: fields[4], options: fields[5].split(separator: ",").map(String.init),
            subpath: fields[6],
            isNeverFilled: fields[7] == "nocopy")
    }

    private static func escaped(_ field: String) -> String {
        guard field.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "\t") }) else {
            return field
        }
        return field.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%25")
            .split(separator: "\t", omittingEmptySubsequences: false).joined(separator: "%09")
    }

    private static func unescaped(_ field: Substring) -> String {
        guard field.utf8.contains(UInt8(ascii: "%")) else { return String(field) }
        var text = ""
        for (i, part) in field.split(separator: "%", omittingEmptySubsequences: false).enumerated() {
            if i == 0 {
                text += part
            } else if part.hasPrefix("09") {
                text += "\t" + part.dropFirst(2)
            } else {
                text += "%" + part.dropFirst(2)
            }
        }
        return text
    }
}

extension ContainerRecord {
    /// Damaged lines are left out; a start checks each.
    package var mounts: [StoredMount] { settings.mounts.compactMap { try? StoredMount(line: $0) } }
}
