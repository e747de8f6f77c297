import LinuxSystem
import OCI
import Testing

@testable import Runtime

/// The kernel's interpreter for the few instructions that the generator uses.
private func run(_ program: [UInt8], type: UInt32, access: UInt32, major: UInt32, minor: UInt32) -> Int? {
    var registers = [UInt32](repeating: 0, count: 6)
    let context: [UInt32] = [access << 16 | type, major, minor]
    var at = 0
    var steps = 0
    while at < program.count / 8, steps < 10_000 {
        steps += 1
        let bytes = Array(program[at * 8..<at * 8 + 8])
        let to = Int(bytes[1] & 15)
        let from = Int(bytes[1] >> 4)
        let jump = Int(Int16(bitPattern: UInt16(bytes[2]) | UInt16(bytes[3]) << 8))
        let value = bytes[4...7].enumerated().reduce(UInt32(0)) {
            $0 | UInt32($1.element) << (8 * UInt32($1.offset))
        }
        at += 1
        switch bytes[0] {
        case 0x61:
            #expect(from == 1)
            registers[to] = context[jump / 4]
        case 0xbc: registers[to] = registers[from]
        case 0xb4: registers[to] = value
        case 0x54: registers[to] &= value
        case 0x74: registers[to] >>= value
        case 0x56: if registers[to] != value { at += jump }
        case 0x46: if registers[to] & value != 0 { at += jump }
        case 0x05: at += jump
        case 0x95: return Int(registers[0])
        default: return nil
        }
    }
    return nil
}

private func rule(_ allow: Bool, _ type: String?, _ major: Int64?, _ minor: Int64?, _ access: String?)
    -> RuntimeSpec.DeviceRule
{
    RuntimeSpec.DeviceRule(allow: allow, type: type, major: major, minor: minor, access: access)
}

/// The meaning in words: for each asked access the last rule that covers it decides.
private func meaning(
    _ rules: [RuntimeSpec.DeviceRule], type: UInt32, access: UInt32, major: UInt32, minor: UInt32
)
    -> Int
{
    for (bit, letter) in [(UInt32(1), "m"), (2, "r"), (4, "w")] where access & bit != 0 {
        let deciding = rules.last { rule in
            let types = ["a": [1, 2], "b": [1], "c": [2]][rule.type ?? "a"] ?? []
            return types.contains(Int(type)) && (rule.major == nil || rule.major == Int64(major))
                && (rule.minor == nil || rule.minor == Int64(minor))
                && (rule.access.flatMap { $0.isEmpty ? nil : $0 } ?? "rwm").contains(letter)
        }
        if deciding?.allow != true { return 0 }
    }
    return 1
}

@Suite struct DeviceProgramTests {
    static let sets: [[RuntimeSpec.DeviceRule]] = [
        [],
        [rule(true, nil, nil, nil, "rwm")],
        ContainerDefaults.deviceRules,
        ContainerDefaults.deviceRules + ContainerDefaults.runtimeDeviceRules,
        [rule(false, "a", nil, nil, nil), rule(true, "c", 1, 3, "r"), rule(true, "c", 1, 3, "w")],
        [rule(true, "a", nil, nil, "rwm"), rule(false, "b", 8, nil, "w"), rule(true, "b", 8, 1, "w")],
        [rule(true, "c", 5, nil, "rw"), rule(false, "c", nil, 1, "w")],
        [rule(true, "b", nil, 3, ""), rule(false, "a", nil, nil, "m")],
        [rule(true, "c", 1, 3, "rwm"), rule(false, nil, nil, nil, "rwm")],
    ]

    @Test(arguments: sets.indices) func programMeansItsRules(_ index: Int) throws {
        let rules = DeviceProgramTests.sets[index]
        let program = try DeviceProgram.bytes(rules)
        for type in UInt32(1)...2 {
            for access in UInt32(1)...7 {
                for major in [UInt32(0), 1, 5, 8, 10, 136] {
                    for minor in [UInt32(0), 1, 2, 3, 5, 7, 9, 229] {
                        let got = run(program, type: type, access: access, major: major, minor: minor)
                        let wanted = meaning(rules, type: type, access: access, major: major, minor: minor)
                        #expect(got == wanted, "type \(type) access \(access) \(major):\(minor)")
                    }
                }
            }
        }
    }

    @Test func dockersRulesInWords() throws {
        let program = try DeviceProgram.bytes(
            ContainerDefaults.deviceRules + ContainerDefaults.runtimeDeviceRules)
        let ask = { (type: UInt32, access: UInt32, major: UInt32, minor: UInt32) in
            run(program, type: type, access: access, major: major, minor: minor)
        }
        #expect(ask(2, 6, 1, 3) == 1, "/dev/null is read and written")
        #expect(ask(2, 6, 136, 4) == 1, "terminals of devpts")
        #expect(ask(2, 2, 10, 229) == 0, "FUSE")
        #expect(ask(1, 2, 8, 0) == 0, "a disk is not read")
        #expect(ask(1, 1, 8, 0) == 1, "its node can be made, as CAP_MKNOD has it")
        #expect(ask(1, 3, 8, 0) == 0, "made and read at once")
    }

    @Test func wrongRulesAreRefused() {
        #expect(throws: (any Error).self) { try DeviceProgram.bytes([rule(true, "x", 1, 3, "r")]) }
        #expect(throws: (any Error).self) { try DeviceProgram.bytes([rule(true, "c", 1, 3, "rx")]) }
        #expect(throws: (any Error).self) { try DeviceProgram.bytes([rule(true, "c", 1 << 12, 3, "r")]) }
        #expect(throws: (any Error).self) { try DeviceProgram.bytes([rule(true, "c", 1, -2, "r")]) }
    }

    /// The verifier is the judge: dead code, bad jumps and bad registers are refused.
    @Test(.enabled(if: Process.isRoot), arguments: sets.indices)
    func kernelTakesTheProgram(_ index: Int) throws {
        let loaded = try DeviceFilter.load(try DeviceProgram.bytes(DeviceProgramTests.sets[index]))
        #expect(loaded.raw >= 0)
    }

    @Test(.enabled(if: Process.isRoot)) func kernelRefusesNonsense() {
        #expect(throws: SystemError.self) { _ = try DeviceFilter.load([UInt8](repeating: 0, count: 16)).raw }
    }
}
