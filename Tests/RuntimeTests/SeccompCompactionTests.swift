import LinuxSystem
import OCI
import Testing

@testable import Runtime

@Suite struct SeccompCompactionTests {
    private typealias Rule = RuntimeSpec.Seccomp.Syscall
    private typealias Argument = RuntimeSpec.Seccomp.Argument

    /// Every architecture, number and argument that the programs could tell apart, and others by chance.
    private func expectSame(
        _ original: [SeccompInstruction], _ compacted: [SeccompInstruction],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let before = ClassicProgram(original)
        let after = ClassicProgram(compacted)
        let constants = before.constants().merging(after.constants()) { $0.union($1) }
        var random = SeededRandom(state: 42)

        let architectures = ClassicProgram.around(constants[4] ?? []).union([0, 0x8000_0016, .max])
        var numbers = Set(UInt32(0)...1200).union(ClassicProgram.around(constants[0] ?? [])).union([
            .max, 0x8000_0000,
        ])
        numbers.formUnion(numbers.map { $0 ^ 0x4000_0000 })
        numbers.formUnion((0..<200).map { _ in random.word() })
        let pools = (0..<16).map { word in
            Array(
                ClassicProgram.around(constants[UInt32(word * 4)] ?? []).union((0..<32).map { 1 << $0 })
                    .union([0, .max])
                    .sorted())
        }

        var differences: [String] = []
        func compare(_ data: [UInt32]) -> Bool {
            guard let wanted = before.answer(data), let got = after.answer(data) else {
                differences.append("\(data): no answer")
                return false
            }
            if wanted.value != got.value {
                differences.append("\(data): \(wanted.value) became \(got.value)")
            }
            if !wanted.readsArguments, got.readsArguments {
                differences.append("\(data): reads arguments now")
            }
            return wanted.readsArguments || got.readsArguments
        }
        for architecture in architectures.sorted() {
            for number in numbers.sorted() {
                var data = ClassicProgram.data(architecture: architecture, number: number)
                // An answer that reads no argument is the same for all of them.
                guard compare(data), differences.isEmpty else { continue }
                // The instruction pointer and the arguments, one half after the other, then all at once.
                for word in 2..<16 {
                    for value in pools[word] {
                        data[word] = value
                        _ = compare(data)
                    }
                    data[word] = 0
                }
                for _ in 0..<300 {
                    for word in 2..<16 {
                        data[word] =
                            switch random.word() % 8 {
                            case 0: random.word()
                            case 1...3: 0
                            default: pools[word][Int(random.word()) % pools[word].count]
                            }
                    }
                    _ = compare(data)
                }
            }
        }
        #expect(differences.isEmpty, "\(differences.prefix(3))", sourceLocation: sourceLocation)
        #expect(compacted.count <= original.count, sourceLocation: sourceLocation)
        #expect(isAccepted(compacted), sourceLocation: sourceLocation)
    }

    /// The kernel's checks (bpf_check_classic): all jumps inside, and an answer at the end.
    private func isAccepted(_ code: [SeccompInstruction]) -> Bool {
        guard code.count <= 4096, code.last?.code == 0x06 else { return false }
        return code.enumerated().allSatisfy { at, step in
            let farthest = step.code == 0x05 ? Int(step.value) : Int(max(step.ifTrue, step.ifFalse))
            return [0x20, 0x54, 0x06].contains(step.code) || at + 1 + farthest < code.count
        }
    }

    private func program(_ filter: RuntimeSpec.Seccomp) throws -> [SeccompInstruction] {
        try #require(SeccompInstruction.program(SeccompCompiler.program(filter)))
    }

    @Test(arguments: [CapabilitySet.dockerDefault, .all, []])
    func dockersDecidesTheSame(_ capabilities: CapabilitySet) throws {
        let filter = try SeccompProfile.docker.resolved(
            capabilities: Set(capabilities.names), architecture: Machine.architecture, kernel: (6, 1))
        let original = try program(filter)
        let compacted = SeccompCompaction.compacted(original)
        #expect(compacted.count <= 200)
        expectSame(original, compacted)

        // The kernel goes each of these ways when the program is loaded, to mark what is always allowed.
        let after = ClassicProgram(compacted)
        for architecture in filter.architectures ?? [] {
            let token = SeccompCompiler.architecture(architecture)
            for number in UInt32(0)..<500 {
                let data = ClassicProgram.data(architecture: token, number: number)
                #expect(try #require(after.answer(data)).steps <= 24)
            }
        }
    }

    @Test func cachedProgramIsCompacted() throws {
        let filter = try SeccompProfile.docker.resolved(
            capabilities: Set(CapabilitySet.dockerDefault.names), architecture: Machine.architecture,
            kernel: Machine.kernel())
        let kept = try SeccompFilter.program(.builtin, capabilities: .dockerDefault)
        #expect(kept == SeccompCompaction.compacted(try program(filter)).flatMap(\.bytes))
    }

    @Test func bytesAreInstructions() throws {
        let bytes = try SeccompCompiler.program(RuntimeSpec.Seccomp(defaultAction: .allow))
        #expect(SeccompInstruction.program(bytes)?.flatMap(\.bytes) == bytes)
        #expect(SeccompInstruction.program(bytes + [0]) == nil)
    }

    @Test(arguments: Self.profiles)
    func ownProfilesDecideTheSame(_ json: String) throws {
        let profile = try SeccompProfile(bytes: Array(json.utf8))
        let filter = try profile.resolved(
            capabilities: [], architecture: Machine.architecture, kernel: (6, 1))
        let original = try program(filter)
        let compacted = SeccompCompaction.compacted(original)
        #expect(compacted.count < original.count || original.count < 16)
        expectSame(original, compacted)
    }

    private static let profiles = [
        // All operators, alone.
        """
        {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "syscalls": [
          {"names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": 3, "op": "SCMP_CMP_NE"}]},
          {"names": ["write"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 1, "value": 4294967303, "op": "SCMP_CMP_LT"}]},
          {"names": ["close"], "action": "SCMP_ACT_LOG", "args": [
            {"index": 2, "value": 4294967303, "op": "SCMP_CMP_LE"}]},
          {"names": ["dup"], "action": "SCMP_ACT_TRACE", "errnoRet": 7, "args": [
            {"index": 3, "value": 18446744073709551615, "op": "SCMP_CMP_EQ"}]},
          {"names": ["ioctl"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 1, "value": 21506, "op": "SCMP_CMP_GE"}]},
          {"names": ["fcntl"], "action": "SCMP_ACT_KILL_PROCESS", "args": [
            {"index": 4, "value": 12884901888, "op": "SCMP_CMP_GT"}]},
          {"names": ["mmap"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 5, "value": 1095216660481, "valueTwo": 4294967297, "op": "SCMP_CMP_MASKED_EQ"}]}
        ]}
        """,
        // Several arguments, several rules for one call, all architectures.
        """
        {"defaultAction": "SCMP_ACT_KILL", "archMap": [
          {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
          {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": ["SCMP_ARCH_ARM"]}],
         "syscalls": [
          {"names": ["prctl"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": 15, "op": "SCMP_CMP_EQ"}, {"index": 1, "value": 0, "op": "SCMP_CMP_NE"}]},
          {"names": ["prctl"], "action": "SCMP_ACT_ERRNO", "errnoRet": 22, "args": [
            {"index": 0, "value": 16, "op": "SCMP_CMP_EQ"}]},
          {"names": ["prctl"], "action": "SCMP_ACT_LOG", "args": [
            {"index": 0, "value": 40, "op": "SCMP_CMP_GE"}, {"index": 0, "value": 7, "op": "SCMP_CMP_LE"}]},
          {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"},
            {"index": 1, "value": 4096, "op": "SCMP_CMP_GT"},
            {"index": 2, "value": 255, "valueTwo": 17, "op": "SCMP_CMP_MASKED_EQ"}]},
          {"names": ["exit_group", "read", "openat"], "action": "SCMP_ACT_ALLOW"}
        ]}
        """,
        // It allows by default.
        """
        {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
          {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 30},
          {"names": ["ptrace"], "action": "SCMP_ACT_KILL_THREAD"},
          {"names": ["kill"], "action": "SCMP_ACT_TRAP", "args": [
            {"index": 0, "value": 1, "op": "SCMP_CMP_EQ"}]}
        ]}
        """,
        // One architecture, not the machine's.
        """
        {"defaultAction": "SCMP_ACT_LOG", "architectures": ["SCMP_ARCH_ARM"], "syscalls": [
          {"names": ["write", "read"], "action": "SCMP_ACT_TRACE", "errnoRet": 1},
          {"names": ["mmap2"], "action": "SCMP_ACT_ALLOW", "args": [
            {"index": 2, "value": 4, "valueTwo": 4, "op": "SCMP_CMP_MASKED_EQ"}]}
        ]}
        """,
        // x32 alone: x86_64 is refused there.
        """
        {"defaultAction": "SCMP_ACT_ERRNO", "architectures": ["SCMP_ARCH_X32"], "syscalls": [
          {"names": ["read", "write", "ioctl"], "action": "SCMP_ACT_ALLOW"}]}
        """,
        "{\"defaultAction\": \"SCMP_ACT_ALLOW\"}",
        "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": []}",
    ]

    /// Longer than the 255 instructions that a conditional jump reaches, with an answer for each call.
    @Test func longProgramDecidesTheSame() throws {
        var filter = RuntimeSpec.Seccomp(defaultAction: .errno)
        let names = try #require(SeccompProfile.docker.syscalls?.first?.names)
        filter.syscalls = names.enumerated().map { at, name in
            var rule = Rule(names: [name], action: .errno, errnoRet: UInt32(at + 100))
            if at % 2 == 0 {
                rule.args = [
                    Argument(index: UInt32(at % 6), value: UInt64(at) << 31, op: .greater),
                    Argument(
                        index: UInt32(at % 5 + 1) % 6, value: UInt64(at) << 8 | 3, valueTwo: 2,
                        op: .maskedEqual),
                ].prefix(at % 5 + 1 == at % 6 ? 1 : 2).map { $0 }
            }
            return rule
        }
        let original = try program(filter)
        let compacted = SeccompCompaction.compacted(original)
        #expect(compacted.count > 1000 && compacted.count < original.count)
        expectSame(original, compacted)
    }
}
