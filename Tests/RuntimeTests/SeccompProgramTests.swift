import Testing

@testable import Runtime

/// Programs that libseccomp does not write: refused ones, and any that the kernel would take.
@Suite struct SeccompProgramTests {
    private let allow = SeccompInstruction(code: 0x06, value: 0x7fff_0000)
    private let kill = SeccompInstruction(code: 0x06, value: 0)
    private let number = SeccompInstruction(code: 0x20, value: 0)

    private func jump(_ code: UInt16, _ value: UInt32, _ ifTrue: UInt8 = 0, _ ifFalse: UInt8 = 0)
        -> SeccompInstruction
    {
        SeccompInstruction(code: code, ifTrue: ifTrue, ifFalse: ifFalse, value: value)
    }

    @Test func whatIsNotUnderstoodIsKept() {
        // Each would be two instructions but for one of them.
        let tests = [number, jump(0x15, 1, 1), kill, kill]
        #expect(SeccompCompaction.compacted(tests) == [kill])
        for code in [UInt16(0x00), 0x01, 0x02, 0x04, 0x07, 0x16, 0x1d, 0x28, 0x30, 0x60, 0x80, 0x87, 0xffff] {
            let program = [SeccompInstruction(code: code, value: 0)] + tests
            #expect(SeccompCompaction.compacted(program) == program, "\(code)")
            // Also where no way leads to it.
            let unreached = [number, jump(0x05, 1), SeccompInstruction(code: code, value: 0), kill, kill]
            #expect(SeccompCompaction.compacted(unreached) == unreached, "\(code)")
        }
    }

    @Test func whatTheKernelRefusesIsKept() {
        let programs: [[SeccompInstruction]] = [
            [],
            [number],
            // No answer at the end.
            [number, jump(0x15, 1, 1), kill, kill, number],
            // Jumps to behind the end, near and far.
            [number, jump(0x15, 1, 2), kill, kill],
            [number, jump(0x15, 1, 0, 255), kill, kill],
            [number, jump(0x05, 2), kill, kill],
            [number, jump(0x05, .max), kill, kill],
            // No word of struct seccomp_data.
            [SeccompInstruction(code: 0x20, value: 64), kill, kill],
            [SeccompInstruction(code: 0x20, value: 2), kill, kill],
            // BPF_MAXINSNS
            [SeccompInstruction](repeating: kill, count: 4097),
        ]
        for program in programs { #expect(SeccompCompaction.compacted(program) == program) }
        #expect(SeccompCompaction.compacted([SeccompInstruction](repeating: kill, count: 4096)) == [kill])
    }

    @Test func whatHasTooManyWaysIsKept() {
        // 2^64 ways: each of 64 bits of arguments is looked at by itself, and none of it matters to the next.
        var program: [SeccompInstruction] = []
        for bit in UInt32(0)..<64 {
            program.append(SeccompInstruction(code: 0x20, value: 16 + bit / 32 * 4))
            program.append(jump(0x45, 1 << (bit % 32)))
        }
        program += [kill]
        #expect(SeccompCompaction.compacted(program) == program)
        // Parts within parts.
        let row = [number] + (0..<4000).map { jump(0x15, 8000 - $0 * 2) } + [kill]
        #expect(SeccompCompaction.compacted(row) == row)
    }

    @Test func shortestIsKept() {
        #expect(SeccompCompaction.compacted([allow]) == [allow])
        let one = [number, jump(0x15, 7, 0, 1), kill, allow]
        #expect(SeccompCompaction.compacted(one) == one)
    }

    /// Single numbers between equal ranges, from both ends of all values.
    @Test func rangesAreWhole() throws {
        for values in [[UInt32](), [0], [.max], [0, .max], [0, 2, 4, .max - 2, .max], [5, 6, 7, 9]] {
            for code in [UInt16(0x15), 0x25, 0x35, 0x45] {
                var program = [number]
                for (at, value) in values.enumerated() {
                    program += [
                        jump(code, value, 0, 1), SeccompInstruction(code: 0x06, value: UInt32(at % 2)),
                    ]
                }
                program += [jump(0x05, 0), jump(0x05, 0), allow]
                let compacted = ClassicProgram(SeccompCompaction.compacted(program))
                #expect(compacted.code.count < program.count)
                for probe in ClassicProgram.around(Set(values + [1 << 31])) {
                    #expect(
                        compacted.run(architecture: 1, number: probe)
                            == ClassicProgram(program).run(architecture: 1, number: probe))
                }
            }
        }
    }

    /// Any order of loads, masks, jumps and answers.
    @Test func anyProgramDecidesTheSame() {
        var random = SeededRandom(state: 7)
        let values: [UInt32] = [
            0, 1, 2, 3, 5, 8, 0x0fff_ffff, 0x3fff_ffff, 0x4000_0000, 0x4000_0001, 0x4000_0003, 0x8000_0000,
            0xc000_0000, .max - 1, .max,
        ]
        var shorter = 0
        for _ in 0..<2_000 {
            let program = anyProgram(&random, values)
            let compacted = SeccompCompaction.compacted(program)
            if compacted.count < program.count { shorter += 1 }
            let (before, after) = (ClassicProgram(program), ClassicProgram(compacted))
            for _ in 0..<40 {
                let data = (0..<16).map { _ in random.element(values) &+ random.word() % 3 &- 1 }
                #expect(before.answer(data)?.value == after.answer(data)?.value, "\(program)")
            }
        }
        #expect(shorter > 1_000)
    }

    private func anyProgram(_ random: inout SeededRandom, _ values: [UInt32]) -> [SeccompInstruction] {
        let length = 4 + random.word() % 40
        return (0..<length).map { at in
            let following = length - at - 1
            let value = random.element(values)
            if following == 0 { return SeccompInstruction(code: 0x06, value: at % 3) }
            switch random.word() % 16 {
            case 0...3:
                return SeccompInstruction(code: 0x20, value: random.element([0, 0, 0, 4, 8, 16, 20]))
            case 4: return SeccompInstruction(code: 0x54, value: value)
            case 5: return SeccompInstruction(code: 0x05, value: random.word() % min(following, 4))
            case 6: return SeccompInstruction(code: 0x06, value: random.word() % 3)
            default:
                return jump(
                    random.element([0x15, 0x25, 0x35, 0x45]), value,
                    UInt8(random.word() % min(following, 6)), UInt8(random.word() % min(following, 6)))
            }
        }
    }
}
