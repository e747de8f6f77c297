internal import Dockerfile
internal import LinuxSystem

/// Patterns carried along by a walk, with what each directory on the way down decided.
struct PatternWalk {
    private var levels: [IgnorePatterns.Walk]

    /// No patterns match nothing.
    init(_ patterns: IgnorePatterns?, entered components: [[UInt8]] = []) {
        guard let patterns, !patterns.isEmpty else {
            levels = []
            return
        }
        levels = [components.reduce(patterns.walk()) { $0.entering($1) }]
    }

    /// Whether the directory that the walk is in is matched.
    var matches: Bool { levels.last?.isExcluded ?? false }

    /// Whether something below a matched directory may not be matched.
    var mayEndBelow: Bool { levels.last?.mayHoldIncluded ?? false }

    /// Whether something below a directory that is not matched may be.
    var mayMatchBelow: Bool { levels.last.map { !$0.isSettled } ?? false }

    func matches(child name: RawPath) -> Bool { levels.last?.excludes(name.bytes) ?? false }

    mutating func enter(_ name: RawPath) {
        if let last = levels.last { levels.append(last.entering(name.bytes)) }
    }

    mutating func leave() {
        if !levels.isEmpty { levels.removeLast() }
    }
}
