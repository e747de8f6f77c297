/// Whether FROM could take a text for an image's name. It is not for finding the image.
enum ImageName {
    static func isValid(_ text: String) -> Bool {
        let halves = text.split(separator: "@", omittingEmptySubsequences: false)
        guard halves.count <= 2, let name = halves.first else { return false }
        if halves.count == 2, !isDigest(halves[1]) { return false }

        var parts = name.split(separator: "/", omittingEmptySubsequences: false)
        guard let last = parts.popLast() else { return false }
        let tagged = last.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        if tagged.count == 2, !isTag(tagged[1]) { return false }
        parts.append(tagged[0])
        if parts.count > 1, isHost(parts[0]) { parts.removeFirst() }
        return parts.allSatisfy(isComponent)
    }

    private static func isDigest(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && parts[1].count >= 32
            && parts[1].allSatisfy(\.isHexDigit)
    }

    private static func isTag(_ text: Substring) -> Bool {
        let bytes = text.utf8
        guard let first = bytes.first, bytes.count <= 128, first != 0x2D, first != 0x2E else { return false }
        return bytes.allSatisfy {
            isLetterOrDigit($0 | 0x20) || isLetterOrDigit($0) || [0x2D, 0x2E, 0x5F].contains($0)
        }
    }

    /// What stands before the first slash is a host where it cannot be a part of a path.
    private static func isHost(_ text: Substring) -> Bool {
        guard text == "localhost" || text.contains(where: { ".:[".contains($0) || $0.isUppercase }) else {
            return false
        }
        return text.utf8.allSatisfy {
            isLetterOrDigit($0) || isLetterOrDigit($0 | 0x20) || [0x2D, 0x2E, 0x3A, 0x5B, 0x5D].contains($0)
        }
    }

    /// Lower-case words between single separators: `.`, `_`, `__` or hyphens.
    private static func isComponent(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, isLetterOrDigit(first),
            isLetterOrDigit(last)
        else { return false }
        let gaps = text.utf8.split(omittingEmptySubsequences: true, whereSeparator: isLetterOrDigit)
        return gaps.allSatisfy { gap in
            gap.allSatisfy { $0 == 0x2D } || gap.elementsEqual([0x2E]) || gap.elementsEqual([0x5F])
                || gap.elementsEqual([0x5F, 0x5F])
        }
    }

    /// a-z and 0-9
    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
    }
}
