/// What a build leaves out: a .dockerignore, or the `--exclude`s of COPY and ADD. A later pattern overrides the
/// earlier ones, and one that matches a directory matches all that is in it.
package struct IgnorePatterns: Sendable, Equatable {
    struct Rule: Sendable, Equatable {
        var pattern: PathPattern
        /// `!pattern`
        var includes: Bool
    }

    let rules: [Rule]

    /// The text of a .dockerignore. An error's range is the line in it.
    package init(_ text: [UInt8]) throws(DockerfileError) {
        var rules: [Rule] = []
        let start = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let lines = text[start...].split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.first != 0x23 {
            do {
                if let rule = try Self.rule(line) { rules.append(rule) }
            } catch {
                throw error.at(SourceRange(index + 1))
            }
        }
        self.rules = rules
    }

    /// A pattern each, relative to what is copied; none of them is a comment.
    package init(patterns: [String]) throws(DockerfileError) {
        var rules: [Rule] = []
        for pattern in patterns {
            if let rule = try Self.rule(Array(pattern.utf8)[...]) { rules.append(rule) }
        }
        self.rules = rules
    }

    package var isEmpty: Bool { rules.isEmpty }

    /// One path, relative to the root, without a slash at its end. For many of them a `Walk` is faster.
    package func excludes(_ path: some Sequence<UInt8>) -> Bool {
        var last = -1
        let path = Array(path)
        for end in path.indices.filter({ path[$0] == 0x2F }) + [path.count] {
            last = rules.indices.last { $0 > last && rules[$0].pattern.matches(path[..<end]) } ?? last
        }
        return last >= 0 && !rules[last].includes
    }

    package func excludes(_ path: String) -> Bool { excludes(path.utf8) }

    /// Whether something below a directory could be wanted although the directory itself is left out.
    package func mayHoldIncluded(_ directory: some Sequence<UInt8>) -> Bool {
        Array(directory).split(separator: 0x2F).reduce(walk()) { $0.entering($1) }.mayHoldIncluded
    }

    package func mayHoldIncluded(_ directory: String) -> Bool { mayHoldIncluded(directory.utf8) }

    /// Begins a walk at the root.
    package func walk() -> Walk { Walk(self) }

    /// nil: an empty line, or the root, which cannot be left out.
    private static func rule(_ line: ArraySlice<UInt8>) throws(DockerfileError) -> Rule? {
        var text = trimmed(line)
        let includes = text.first == 0x21
        if includes {
            text = trimmed(text.dropFirst())
            if text.isEmpty {
                throw DockerfileError(
                    "a pattern is missing after \"!\"", hint: "\\! is a name that begins with !")
            }
        }
        let cleaned = cleaned(text)
        if cleaned.isEmpty { return nil }
        return Rule(pattern: try PathPattern(cleaned, .recursive), includes: includes)
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let first = text.firstIndex(where: { !isSpace($0) }),
            let last = text.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return text[first...last]
    }

    /// Without `.`, `..` where it can be resolved, and slashes at both ends.
    static func cleaned(_ path: ArraySlice<UInt8>) -> [UInt8] {
        let parent: ArraySlice<UInt8> = [0x2E, 0x2E]
        var parts: [ArraySlice<UInt8>] = []
        for part in path.split(separator: 0x2F) where part != [0x2E] {
            if part != parent {
                parts.append(part)
            } else if let last = parts.last, last != parent {
                parts.removeLast()
            } else if path.first != 0x2F {
                parts.append(part)
            }
        }
        return Array(parts.joined(separator: [0x2F]))
    }
}
