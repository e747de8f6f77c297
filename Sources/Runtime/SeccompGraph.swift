/// Instructions with their successors, not yet in an order.
enum SeccompNode: Hashable {
    case answer(UInt32)
    case load(UInt32, then: Int)
    case and(UInt32, then: Int)
    case test(UInt16, UInt32, ifTrue: Int, ifFalse: Int)
}

/// Decisions as instructions, each once, however many ways lead to it.
struct SeccompGraph {
    private typealias Code = SeccompInstruction.Code

    private(set) var nodes: [SeccompNode] = []
    private var indices: [SeccompNode: Int] = [:]
    private let decisions: [SeccompDecision]
    private let sharesX32: Bool
    /// By decision.
    private var lowered: [Int: Int] = [:]

    /// x86_64's numbers with this bit are x32's (__X32_SYSCALL_BIT).
    private static let x32Bit: UInt32 = 0x4000_0000
    private static let x32Numbers = x32Bit...(x32Bit << 1 - 1)

    /// - Parameter sharesX32: x32's numbers that are decided as those of x86_64 go to its instructions, without the bit.
    init(decisions: [SeccompDecision], sharesX32: Bool) {
        self.decisions = decisions
        self.sharesX32 = sharesX32
    }

    /// The node that a decision begins with.
    mutating func lower(_ decision: Int) -> Int {
        if let node = lowered[decision] { return node }
        let node =
            switch decisions[decision] {
            case .answer(let value): index(of: .answer(value))
            case .choice(let word, let segments): choice(word, segments)
            }
        lowered[decision] = node
        return node
    }

    private mutating func choice(_ word: SeccompWord, _ segments: [SeccompDecision.Segment]) -> Int {
        let spans = segments.enumerated().map { at, segment in
            let high = at + 1 < segments.count ? segments[at + 1].low - 1 : word.mask
            return SeccompSpan(range: segment.low...high, targets: [lower(segment.decision)])
        }
        if !word.isWhole {
            // Some bit of the mask or none: that is JSET.
            if spans.count == 2, spans[1].range.lowerBound == 1 {
                let test = test(
                    Code.jumpSet, word.mask, ifTrue: spans[1].targets[0], ifFalse: spans[0].targets[0])
                return index(of: .load(word.offset, then: test))
            }
            return index(of: .load(word.offset, then: index(of: .and(word.mask, then: tree(spans)))))
        }
        guard word == .number, sharesX32, spans.contains(where: { $0.range.lowerBound == Self.x32Bit }) else {
            return index(of: .load(word.offset, then: tree(spans)))
        }
        let native = spans.filter { $0.range.lowerBound < Self.x32Bit }
        let nativeTree = tree(native)
        let withoutBit = index(of: .and(Self.x32Bit - 1, then: nativeTree))
        let others = spans.filter { $0.range.lowerBound >= Self.x32Bit }
        let tree = test(
            Code.jumpGreaterOrEqual, Self.x32Bit,
            ifTrue: tree(Self.shared(others, native, by: withoutBit)), ifFalse: nativeTree)
        return index(of: .load(word.offset, then: tree))
    }

    /// Adds a second target to those of x32's numbers that `native` decides alike.
    private static func shared(_ spans: [SeccompSpan], _ native: [SeccompSpan], by target: Int)
        -> [SeccompSpan]
    {
        var result: [SeccompSpan] = []
        for span in spans {
            var rest = span.range
            for twin in native where rest.overlaps(x32Numbers) {
                let numbers = (twin.range.lowerBound | x32Bit)...(twin.range.upperBound | x32Bit)
                guard rest.overlaps(numbers) else { continue }
                let part = rest.clamped(to: numbers)
                let isAlike = twin.targets == span.targets
                result.append(SeccompSpan(range: part, targets: span.targets + (isAlike ? [target] : [])))
                if part.upperBound == span.range.upperBound { break }
                rest = (part.upperBound + 1)...span.range.upperBound
            }
            // Numbers with the highest bit are nobody's.
            if rest.upperBound > x32Numbers.upperBound {
                result.append(SeccompSpan(range: rest, targets: span.targets))
            }
        }
        return result
    }

    private mutating func tree(_ spans: [SeccompSpan]) -> Int {
        let plan = SeccompSpan.plan(spans)
        return tree(plan.runs[...], plan.exceptions[...])
    }

    /// The longest row of comparisons with single values that is not worth one more instruction to cut it in two.
    private static let longestRow = 8

    private mutating func tree(
        _ runs: ArraySlice<SeccompSpan.Run>, _ exceptions: ArraySlice<SeccompSpan.Exception>
    ) -> Int {
        guard let first = runs.first else { preconditionFailure("a word without values") }
        func below(_ value: UInt32) -> Int { exceptions.count(where: { $0.value < value }) }
        if runs.count > 1 {
            // The cut with as much to compare on one side as on the other.
            let balance = { (at: Int) in
                abs(2 * (at - runs.startIndex + below(runs[at].low)) - runs.count - exceptions.count)
            }
            let cuts = runs.indices.dropFirst()
            guard let cut = cuts.min(by: { balance($0) < balance($1) }) else { return first.target }
            let low = runs[cut].low
            let position = exceptions.startIndex + below(low)
            return test(
                Code.jumpGreaterOrEqual, low, ifTrue: tree(runs[cut...], exceptions[position...]),
                ifFalse: tree(runs[..<cut], exceptions[..<position]))
        }
        if exceptions.count > Self.longestRow {
            let middle = exceptions.startIndex + exceptions.count / 2
            return test(
                Code.jumpGreaterOrEqual, exceptions[middle].value,
                ifTrue: tree(runs, exceptions[middle...]), ifFalse: tree(runs, exceptions[..<middle]))
        }
        // The highest is compared first: 64-bit architectures are above 32-bit ones.
        return exceptions.reduce(first.target) { rest, exception in
            test(Code.jumpEqual, exception.value, ifTrue: exception.target, ifFalse: rest)
        }
    }

    private mutating func test(_ code: UInt16, _ value: UInt32, ifTrue: Int, ifFalse: Int) -> Int {
        ifTrue == ifFalse ? ifTrue : index(of: .test(code, value, ifTrue: ifTrue, ifFalse: ifFalse))
    }

    private mutating func index(of node: SeccompNode) -> Int {
        if let index = indices[node] { return index }
        nodes.append(node)
        indices[node] = nodes.count - 1
        return nodes.count - 1
    }
}
