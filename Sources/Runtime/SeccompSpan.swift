/// Neighbouring values of a word that lead to the same place.
struct SeccompSpan {
    var range: ClosedRange<UInt32>
    /// Nodes that do the same; one or more.
    var targets: [Int]

    /// A value that is compared by itself.
    struct Exception {
        var value: UInt32
        var target: Int
    }

    /// The values from `low` to the next run's, but the exceptions.
    struct Run {
        var low: UInt32
        var target: Int
    }

    /// How to tell spans apart with the fewest tests: each run after the first costs one, and each exception.
    ///
    /// A single value between two spans of the same target is cheaper as an exception (one test, one run) than as a
    /// run (two tests more). With several such in a row, and with targets to choose from, it is a shortest way.
    /// - Parameter spans: without gaps, one or more.
    static func plan(_ spans: [SeccompSpan]) -> (runs: [Run], exceptions: [Exception]) {
        /// The cheapest way to keep a span in a run, with one of its targets.
        struct Way {
            var cost: Int
            var before: (span: Int, target: Int)?
        }
        let isSingle = spans.map { $0.range.count == 1 }
        var ways: [[Way]] = []
        for (at, span) in spans.enumerated() {
            ways.append(
                span.targets.map { target in
                    var best = Way(cost: .max)
                    var earlier = at - 1
                    while earlier >= 0 {
                        for (choice, way) in ways[earlier].enumerated() {
                            let isNewRun = spans[earlier].targets[choice] != target
                            let cost = way.cost + (at - earlier - 1) + (isNewRun ? 1 : 0)
                            if cost < best.cost { best = Way(cost: cost, before: (earlier, choice)) }
                        }
                        if !isSingle[earlier] { break }
                        earlier -= 1
                    }
                    // All before it are exceptions.
                    if earlier < 0, at < best.cost { best = Way(cost: at) }
                    return best
                })
        }
        // All after the last one kept are exceptions.
        var end = (cost: Int.max, span: 0, target: 0)
        for at in spans.indices.reversed() {
            for (choice, way) in ways[at].enumerated() where way.cost + spans.count - at - 1 < end.cost {
                end = (way.cost + spans.count - at - 1, at, choice)
            }
            if !isSingle[at] { break }
        }
        var kept: [Int: Int] = [:]
        var next: (span: Int, target: Int)? = (end.span, end.target)
        while let (span, target) = next {
            kept[span] = spans[span].targets[target]
            next = ways[span][target].before
        }
        var runs: [Run] = []
        var exceptions: [Exception] = []
        for (at, span) in spans.enumerated() {
            guard let target = kept[at] else {
                exceptions.append(Exception(value: span.range.lowerBound, target: span.targets[0]))
                continue
            }
            if runs.last?.target != target { runs.append(Run(low: span.range.lowerBound, target: target)) }
        }
        return (runs, exceptions)
    }
}
