@testable import Runtime

/// The kernel's interpreter of classic BPF for seccomp: loads of words, jumps, masks, answers.
struct ClassicProgram {
    struct Answer {
        var value: UInt32
        /// Whether anything but number and architecture was read: if not, it is the answer for all arguments.
        var readsArguments: Bool
        var steps: Int
    }

    let code: [SeccompInstruction]

    init(_ code: [SeccompInstruction]) { self.code = code }

    init(_ bytes: [UInt8]) { code = SeccompInstruction.program(bytes) ?? [] }

    func run(architecture: UInt32, number: UInt32, _ arguments: [UInt64] = []) -> UInt32? {
        answer(Self.data(architecture: architecture, number: number, arguments))?.value
    }

    /// struct seccomp_data as words of a little-endian machine.
    static func data(
        architecture: UInt32, number: UInt32, pointer: UInt64 = 0, _ arguments: [UInt64] = []
    ) -> [UInt32] {
        var data = [number, architecture, UInt32(truncatingIfNeeded: pointer), UInt32(pointer >> 32)]
        for index in 0..<6 {
            let value = index < arguments.count ? arguments[index] : 0
            data += [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
        }
        return data
    }

    /// The values, and those before and after each.
    static func around(_ values: Set<UInt32>) -> Set<UInt32> {
        Set(values.flatMap { [$0 &- 1, $0, $0 &+ 1] })
    }

    /// nil for a program that the kernel would not run.
    func answer(_ data: [UInt32]) -> Answer? {
        var accumulator: UInt32 = 0
        var at = 0
        var readsArguments = false
        var steps = 0
        while at < code.count {
            let step = code[at]
            at += 1
            steps += 1
            switch step.code {
            case 0x20:
                accumulator = data[Int(step.value) / 4]
                if step.value >= 8 { readsArguments = true }
            case 0x54: accumulator &= step.value
            case 0x05: at += Int(step.value)
            case 0x15: at += Int(accumulator == step.value ? step.ifTrue : step.ifFalse)
            case 0x25: at += Int(accumulator > step.value ? step.ifTrue : step.ifFalse)
            case 0x35: at += Int(accumulator >= step.value ? step.ifTrue : step.ifFalse)
            case 0x45: at += Int(accumulator & step.value != 0 ? step.ifTrue : step.ifFalse)
            case 0x06: return Answer(value: step.value, readsArguments: readsArguments, steps: steps)
            default: return nil
            }
        }
        return nil
    }

    /// The constants that are compared with words of struct seccomp_data, by the word's offset.
    func constants() -> [UInt32: Set<UInt32>] {
        var constants: [UInt32: Set<UInt32>] = [:]
        // The words that A can hold before each instruction.
        var words = [Set<UInt32>](repeating: [], count: code.count + 256)
        for (at, step) in code.enumerated() {
            switch step.code {
            case 0x20: words[at + 1].insert(step.value)
            case 0x54:
                for word in words[at] { constants[word, default: []].insert(step.value) }
                words[at + 1].formUnion(words[at])
            case 0x05: words[at + 1 + Int(step.value)].formUnion(words[at])
            case 0x15, 0x25, 0x35, 0x45:
                for word in words[at] { constants[word, default: []].insert(step.value) }
                words[at + 1 + Int(step.ifTrue)].formUnion(words[at])
                words[at + 1 + Int(step.ifFalse)].formUnion(words[at])
            default: break
            }
        }
        return constants
    }
}

/// The same numbers in every run of a test (splitmix64).
struct SeededRandom {
    var state: UInt64

    mutating func word() -> UInt32 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return UInt32(truncatingIfNeeded: value >> 32)
    }

    mutating func element<Element>(_ elements: [Element]) -> Element {
        elements[Int(word()) % elements.count]
    }
}
