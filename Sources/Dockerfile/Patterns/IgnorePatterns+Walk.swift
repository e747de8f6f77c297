extension IgnorePatterns {
    /// A directory on a walk through a tree: it knows what its own directories decided, and looks only at the patterns
    /// that can still say something new.
    package struct Walk: Sendable {
        private let patterns: IgnorePatterns
        /// The directory's path with a slash at its end; empty at the root.
        private let path: [UInt8]
        /// The last rule that matches the directory or one above it, -1: none. All that is in it is matched by that
        /// rule too, so only later rules matter.
        private let last: Int
        /// The later rules that could match something below.
        private let candidates: [Int]

        init(_ patterns: IgnorePatterns) {
            self.patterns = patterns
            path = []
            last = -1
            candidates = Array(patterns.rules.indices)
        }

        private init(_ patterns: IgnorePatterns, path: [UInt8], last: Int, candidates: [Int]) {
            self.patterns = patterns
            self.path = path
            self.last = last
            self.candidates = candidates
        }

        /// Whether this directory is left out; the root is not.
        package var isExcluded: Bool { last >= 0 && !patterns.rules[last].includes }

        /// Whether an excluded directory must be walked: something below could be wanted all the same.
        package var mayHoldIncluded: Bool { candidates.contains { patterns.rules[$0].includes } }

        /// Whether everything below this directory fares as the directory itself, and need not be asked about.
        package var isSettled: Bool { candidates.isEmpty }

        /// Whether an entry of this directory is left out.
        package func excludes(_ name: some Collection<UInt8>) -> Bool {
            if candidates.isEmpty { return isExcluded }
            let decisive = decisive(for: path + name)
            return decisive >= 0 && !patterns.rules[decisive].includes
        }

        package func excludes(_ name: String) -> Bool { excludes(Array(name.utf8)) }

        /// A directory in this directory.
        package func entering(_ name: some Collection<UInt8>) -> Walk {
            let entered = path + name
            let decisive = decisive(for: entered)
            let remaining = candidates.filter {
                $0 > decisive && patterns.rules[$0].pattern.mayMatch(below: entered[...])
            }
            return Walk(patterns, path: entered + [0x2F], last: decisive, candidates: remaining)
        }

        package func entering(_ name: String) -> Walk { entering(Array(name.utf8)) }

        private func decisive(for path: [UInt8]) -> Int {
            candidates.last { patterns.rules[$0].pattern.matches(path[...]) } ?? last
        }
    }
}
