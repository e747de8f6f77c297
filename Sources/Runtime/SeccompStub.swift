/// The beginning of a filter: numbers above the newest that the filter names answer ENOSYS, on each architecture by
/// its own table; all else goes on to the filter itself.
enum SeccompStub {
    /// libseccomp's own token of x32, which is x86_64 to the kernel, with a bit in the number.
    private static let x32: UInt32 = 0x4000_003e
    private static let x86_64: UInt32 = 0xc000_003e
    private static let x32Bit: UInt32 = 0x4000_0000
    private static let notImplemented: UInt32 = 0x0005_0000 | 38

    private typealias Code = SeccompInstruction.Code

    private struct Instruction {
        var code: UInt16
        var ifTrue: UInt8 = 0
        var ifFalse: UInt8 = 0
        var value: UInt32
        /// A jump to the filter; its distance is known when all sections are.
        var leaves = false
    }

    /// - Parameter newest: the highest number by architecture token.
    static func program(_ newest: [UInt32: UInt32]) -> [UInt8] {
        var code: [Instruction] = []
        // struct seccomp_data: number, architecture, …
        let loadNumber = Instruction(code: Code.loadWord, value: 0)
        for (token, last) in newest.sorted(by: { $0.key < $1.key }) where token != x32 {
            var section = [loadNumber]
            if token == x86_64 {
                let compat = newest[x32].map(limit) ?? [leave]
                let native = limit(last)
                section.append(
                    Instruction(code: Code.jumpSet, ifTrue: UInt8(native.count), value: x32Bit))
                section += native + compat
            } else {
                section += limit(last)
            }
            code.append(Instruction(code: Code.loadWord, value: 4))
            code.append(Instruction(code: Code.jumpEqual, ifFalse: UInt8(section.count), value: token))
            code += section
        }
        return code.enumerated().flatMap { index, instruction in
            bytes(instruction, distance: code.count - 1 - index)
        }
    }

    private static let leave = Instruction(code: Code.jump, value: 0, leaves: true)

    private static func limit(_ last: UInt32) -> [Instruction] {
        [
            Instruction(code: Code.jumpGreater, ifFalse: 1, value: last),
            Instruction(code: Code.answer, value: notImplemented),
            leave,
        ]
    }

    /// struct sock_filter in the machine's byte order.
    private static func bytes(_ instruction: Instruction, distance: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: instruction.code) { bytes += $0 }
        bytes += [instruction.ifTrue, instruction.ifFalse]
        withUnsafeBytes(of: instruction.leaves ? UInt32(distance) : instruction.value) { bytes += $0 }
        return bytes
    }
}
