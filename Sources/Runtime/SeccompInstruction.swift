/// The kernel's struct sock_filter: one instruction of classic BPF.
struct SeccompInstruction: Hashable {
    /// The opcodes that libseccomp and ctr write; seccomp(2) takes more.
    enum Code {
        /// A = the word of struct seccomp_data at k.
        static let loadWord: UInt16 = 0x20
        static let and: UInt16 = 0x54
        static let jump: UInt16 = 0x05
        static let jumpEqual: UInt16 = 0x15
        static let jumpGreater: UInt16 = 0x25
        static let jumpGreaterOrEqual: UInt16 = 0x35
        static let jumpSet: UInt16 = 0x45
        static let answer: UInt16 = 0x06
    }

    /// The size of one in bytes.
    static let size = 8

    var code: UInt16
    /// How many instructions are left out, for a conditional jump.
    var ifTrue: UInt8 = 0
    var ifFalse: UInt8 = 0
    /// k of the kernel's documentation.
    var value: UInt32

    /// In the machine's byte order.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: code) { bytes += $0 }
        bytes += [ifTrue, ifFalse]
        withUnsafeBytes(of: value) { bytes += $0 }
        return bytes
    }

    /// nil for bytes that are no whole number of instructions.
    static func program(_ bytes: [UInt8]) -> [SeccompInstruction]? {
        guard bytes.count % size == 0 else { return nil }
        return bytes.withUnsafeBytes { raw in
            stride(from: 0, to: raw.count, by: size).map { at in
                SeccompInstruction(
                    code: raw.loadUnaligned(fromByteOffset: at, as: UInt16.self),
                    ifTrue: raw[at + 2], ifFalse: raw[at + 3],
                    value: raw.loadUnaligned(fromByteOffset: at + 4, as: UInt32.self))
            }
        }
    }
}
