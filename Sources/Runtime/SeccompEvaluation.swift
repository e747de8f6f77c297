/// What a filter looks at: some bits of one word of struct seccomp_data.
struct SeccompWord: Hashable {
    static let number = SeccompWord(offset: 0)

    let offset: UInt32
    var mask: UInt32 = .max

    /// All 32 bits.
    var isWhole: Bool { mask == .max }

    func bits(_ bits: UInt32) -> SeccompWord { SeccompWord(offset: offset, mask: mask & bits) }
}

/// What a filter decides, without the order in which it finds out.
enum SeccompDecision: Hashable {
    struct Segment: Hashable {
        /// The first value; the last one is before the next segment's first.
        var low: UInt32
        /// An index into the decisions.
        var decision: Int
    }

    case answer(UInt32)
    /// By the value of a word: two or more segments, the first from 0, neighbours different.
    case choice(SeccompWord, [Segment])
}

/// Runs a program with all inputs at once: where a test can go both ways for the values that its word can still have,
/// these are split, and each part goes on by itself. So the result holds for every value by construction, and no list
/// of architectures or system calls is needed.
struct SeccompEvaluation {
    private typealias Code = SeccompInstruction.Code

    private let program: [SeccompInstruction]
    /// Each decision once: equal ones have equal indices.
    private(set) var decisions: [SeccompDecision] = []
    private var indices: [SeccompDecision: Int] = [:]
    private var steps = 0
    private var depth = 0

    /// docker's profile takes some five thousand.
    private static let mostSteps = 1 << 16
    /// Of parts within parts: the stack's limit.
    private static let mostParts = 1024

    private struct TooLarge: Error {}

    private struct Known {
        var word: SeccompWord
        var range: ClosedRange<UInt32>
    }

    /// - Parameter program: with the opcodes of `SeccompInstruction.Code` only, and with all jumps inside.
    init(_ program: [SeccompInstruction]) { self.program = program }

    /// The decision of the whole program as an index into `decisions`; nil if there are too many ways through it.
    mutating func run() -> Int? {
        // The kernel begins with A = 0, which is no bit of any word.
        try? decide(at: 0, accumulator: SeccompWord(offset: 0, mask: 0), known: [])
    }

    private mutating func decide(
        at start: Int, accumulator: SeccompWord, known: [Known]
    ) throws(TooLarge) -> Int {
        depth += 1
        defer { depth -= 1 }
        guard depth < Self.mostParts else { throw TooLarge() }
        var at = start
        var accumulator = accumulator
        while true {
            steps += 1
            guard steps < Self.mostSteps else { throw TooLarge() }
            let step = program[at]
            switch step.code {
            case Code.answer: return index(of: .answer(step.value))
            case Code.loadWord: accumulator = SeccompWord(offset: step.value)
            case Code.and: accumulator = accumulator.bits(step.value)
            case Code.jump: at += Int(step.value)
            default:
                guard let holds = Self.outcome(step, accumulator, known) else {
                    return try split(at: at, accumulator: accumulator, known: known)
                }
                at += Int(holds ? step.ifTrue : step.ifFalse)
            }
            at += 1
        }
    }

    /// The decision from a test on that is not decided.
    private mutating func split(
        at: Int, accumulator: SeccompWord, known: [Known]
    ) throws(TooLarge) -> Int {
        let step = program[at]
        let asksForBits = step.code == Code.jumpSet && !Self.isCutByBits(accumulator, step.value)
        let word = asksForBits ? accumulator.bits(step.value) : accumulator
        let range = Self.range(of: word, known)
        let cuts: [UInt32] =
            switch step.code {
            // A cut before 0 or after the last value is none.
            case Code.jumpEqual: [step.value] + (step.value < .max ? [step.value + 1] : [])
            case Code.jumpGreater: [step.value + 1]
            case Code.jumpGreaterOrEqual: [step.value]
            default: asksForBits ? [1] : [Self.change(of: step.value, in: range)]
            }
        var segments: [SeccompDecision.Segment] = []
        var low = range.lowerBound
        for cut in cuts.filter({ $0 > range.lowerBound && $0 <= range.upperBound }).map(Optional.some) + [nil]
        {
            let part = low...(cut.map { $0 - 1 } ?? range.upperBound)
            let inside = known.filter { $0.word != word } + [Known(word: word, range: part)]
            let decision = try decide(at: at, accumulator: accumulator, known: inside)
            append(decision, of: word, part, to: &segments)
            if let cut { low = cut }
        }
        // Below the range the word cannot be here.
        segments[0].low = 0
        return segments.count == 1 ? segments[0].decision : index(of: .choice(word, segments))
    }

    /// Adds a part's decision: if that is by the same word again, with its segments.
    private func append(
        _ decision: Int, of word: SeccompWord, _ part: ClosedRange<UInt32>,
        to segments: inout [SeccompDecision.Segment]
    ) {
        var added = [SeccompDecision.Segment(low: part.lowerBound, decision: decision)]
        if case .choice(word, let inner) = decisions[decision] {
            added = []
            for (at, segment) in inner.enumerated() where segment.low <= part.upperBound {
                if at + 1 < inner.count, inner[at + 1].low <= part.lowerBound { continue }
                added.append(
                    SeccompDecision.Segment(
                        low: max(segment.low, part.lowerBound), decision: segment.decision))
            }
        }
        for segment in added where segments.last?.decision != segment.decision { segments.append(segment) }
    }

    private mutating func index(of decision: SeccompDecision) -> Int {
        if let index = indices[decision] { return index }
        decisions.append(decision)
        indices[decision] = decisions.count - 1
        return decisions.count - 1
    }
}

extension SeccompEvaluation {
    /// The values that a word can still have.
    private static func range(of word: SeccompWord, _ known: [Known]) -> ClosedRange<UInt32> {
        var range = 0...word.mask
        for fact in known where fact.word.offset == word.offset {
            if fact.word == word {
                range = fact.range
            } else if fact.word.isWhole, fact.range.count == 1 {
                let value = fact.range.lowerBound & word.mask
                return value...value
            }
        }
        return range
    }

    /// nil if it is true for some values and false for others.
    private static func outcome(_ test: SeccompInstruction, _ word: SeccompWord, _ known: [Known]) -> Bool? {
        let range = range(of: word, known)
        let (low, high) = (range.lowerBound, range.upperBound)
        switch test.code {
        case Code.jumpEqual:
            if !range.contains(test.value) { return false }
            return low == high ? true : nil
        case Code.jumpGreater: return low > test.value ? true : high <= test.value ? false : nil
        case Code.jumpGreaterOrEqual: return low >= test.value ? true : high < test.value ? false : nil
        default:
            guard isCutByBits(word, test.value) else {
                let bits = Self.range(of: word.bits(test.value), known)
                return bits.lowerBound > 0 ? true : bits.upperBound == 0 ? false : nil
            }
            // Values that differ only below the lowest bit asked for are one to this test.
            return (low ^ high) >> UInt32(test.value.trailingZeroBitCount) == 0
                ? low & test.value != 0 : nil
        }
    }

    /// Whether JSET is a question of ranges: high bits, x32's above all, cut numbers and architectures into few. Other
    /// bits are a word of their own.
    private static func isCutByBits(_ word: SeccompWord, _ bits: UInt32) -> Bool {
        word.offset < 8 && word.isWhole && bits != 0 && bits.trailingZeroBitCount >= 24
    }

    /// The first value in the range whose bits from the lowest of `bits` on differ from those before it.
    private static func change(of bits: UInt32, in range: ClosedRange<UInt32>) -> UInt32 {
        let shift = UInt32(bits.trailingZeroBitCount)
        return (range.lowerBound >> shift + 1) << shift
    }
}
