extension IgnorePatterns {
    /// The pattern that leaves a path out, for messages; nil for a path that stays.
    package func pattern(excluding path: some Sequence<UInt8>) -> [UInt8]? {
        var last = -1
        let path = Array(path)
        for end in path.indices.filter({ path[$0] == 0x2F }) + [path.count] {
            last = rules.indices.last { $0 > last && rules[$0].pattern.matches(path[..<end]) } ?? last
        }
        return last >= 0 && !rules[last].includes ? rules[last].pattern.bytes : nil
    }
}
