package import Failure
package import OCI

/// The eBPF program (BPF_PROG_TYPE_CGROUP_DEVICE) that decides on opening and making device nodes.
///
/// For each asked access (read, write, mknod) the last rule that covers it decides; the request passes when every
/// asked access does. What no rule covers is denied.
package enum DeviceProgram {
    /// One instruction is eight bytes: code, registers, offset, immediate (linux/bpf.h, struct bpf_insn).
    private struct Assembler {
        var bytes: [UInt8] = []

        mutating func emit(_ code: UInt8, to: UInt8 = 0, from: UInt8 = 0, jump: Int16 = 0, _ value: Int32 = 0)
        {
            bytes.append(code)
            bytes.append(from << 4 | to)
            withUnsafeBytes(of: jump) { bytes.append(contentsOf: $0) }
            withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
        }

        mutating func finish(_ answer: Int32) {
            emit(Code.moveImmediate, to: Register.answer, answer)
            emit(Code.exit)
        }
    }

    private enum Code {
        static let loadWord: UInt8 = 0x61
        static let moveRegister: UInt8 = 0xbc
        static let moveImmediate: UInt8 = 0xb4
        static let and: UInt8 = 0x54
        static let shiftRight: UInt8 = 0x74
        static let jumpNotEqual: UInt8 = 0x56
        static let jumpSet: UInt8 = 0x46
        static let exit: UInt8 = 0x95
    }

    private enum Register {
        static let answer: UInt8 = 0
        static let context: UInt8 = 1
        static let type: UInt8 = 2
        /// The asked accesses that no rule has decided yet.
        static let access: UInt8 = 3
        static let major: UInt8 = 4
        static let minor: UInt8 = 5
    }

    private static let everyAccess: Int32 = 7

    /// - Throws: `invalidArgument` for a rule with a type, access or number that no device has.
    package static func bytes(_ rules: [RuntimeSpec.DeviceRule]) throws(Failure) -> [UInt8] {
        var code = Assembler()
        // struct bpf_cgroup_dev_ctx: access << 16 | type, major, minor.
        code.emit(Code.loadWord, to: Register.type, from: Register.context)
        code.emit(Code.moveRegister, to: Register.access, from: Register.type)
        code.emit(Code.and, to: Register.type, 0xffff)
        code.emit(Code.shiftRight, to: Register.access, 16)
        for (register, offset) in [(Register.major, Int16(4)), (Register.minor, Int16(8))] {
            code.emit(Code.loadWord, to: register, from: Register.context, jump: offset)
        }
        for rule in rules.reversed() {
            let access = try access(of: rule)
            if access == 0 { continue }
            let conditions = try conditions(of: rule)
            if conditions.isEmpty, access == everyAccess {
                // Older rules are never reached, and the kernel refuses a program with dead instructions.
                code.finish(rule.allow ? 1 : 0)
                return code.bytes
            }
            let body = body(allow: rule.allow, access: access)
            for (index, condition) in conditions.enumerated() {
                let rest = conditions.count - 1 - index + body.bytes.count / 8
                code.emit(
                    Code.jumpNotEqual, to: condition.register, jump: Int16(rest), condition.value)
            }
            code.bytes += body.bytes
        }
        code.finish(0)
        return code.bytes
    }

    private static func body(allow: Bool, access: Int32) -> Assembler {
        var body = Assembler()
        if allow {
            body.emit(Code.and, to: Register.access, ~access)
            body.emit(Code.jumpNotEqual, to: Register.access, jump: 2, 0)
            body.finish(1)
        } else {
            body.emit(Code.jumpSet, to: Register.access, jump: 1, access)
            // Jumps over the denial: a conditional jump that is always taken needs no other opcode.
            body.emit(0x05, jump: 2)
            body.finish(0)
        }
        return body
    }

    private static func conditions(of rule: RuntimeSpec.DeviceRule) throws(Failure) -> [(
        register: UInt8, value: Int32
    )] {
        var conditions: [(register: UInt8, value: Int32)] = []
        switch rule.type ?? "a" {
        case "a", "": break
        // BPF_DEVCG_DEV_BLOCK and BPF_DEVCG_DEV_CHAR.
        case "b": conditions.append((Register.type, 1))
        case "c", "u": conditions.append((Register.type, 2))
        case let other:
            throw Failure(.invalidArgument, "device rule: type \"\(other)\" is none of a, b, c")
        }
        for (register, number, limit) in [
            (Register.major, rule.major, Int64(0xfff)), (Register.minor, rule.minor, Int64(0xfffff)),
        ] {
            guard let number, number != -1 else { continue }
            guard (0...limit).contains(number), let value = Int32(exactly: number) else {
                throw Failure(.invalidArgument, "device rule: no device has the number \(number)")
            }
            conditions.append((register, value))
        }
        return conditions
    }

    /// BPF_DEVCG_ACC_MKNOD, _READ and _WRITE; nothing said means all three.
    private static func access(of rule: RuntimeSpec.DeviceRule) throws(Failure) -> Int32 {
        guard let text = rule.access, !text.isEmpty else { return everyAccess }
        var mask: Int32 = 0
        for letter in text {
            switch letter {
            case "m": mask |= 1
            case "r": mask |= 2
            case "w": mask |= 4
            default:
                throw Failure(
                    .invalidArgument, "device rule: access \"\(text)\" is not made of r, w and m")
            }
        }
        return mask
    }
}
