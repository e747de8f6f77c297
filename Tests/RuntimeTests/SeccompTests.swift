import Failure
import LinuxSystem
import OCI
import Testing

@testable import Runtime

private let allowed: UInt32 = 0x7fff_0000
private let permissionDenied: UInt32 = 0x0005_0001
private let notImplemented: UInt32 = 0x0005_0026

/// What the kernel tells a filter: x32 is x86_64 there.
private func auditArchitecture(_ token: UInt32) -> UInt32 { token == 0x4000_003e ? 0xc000_003e : token }

@Suite struct SeccompTests {
    private func resolved(_ capabilities: CapabilitySet = .dockerDefault) throws -> RuntimeSpec.Seccomp {
        try SeccompProfile.docker.resolved(
            capabilities: Set(capabilities.names), architecture: Machine.architecture, kernel: (6, 1))
    }

    /// The profile's answer in words of the specification: the first rule whose conditions hold, else the default.
    private func meaning(_ filter: RuntimeSpec.Seccomp, _ name: String, _ arguments: [UInt64]) -> UInt32 {
        for rule in filter.syscalls ?? [] where rule.names.contains(name) {
            let holds = (rule.args ?? []).allSatisfy { argument in
                let given = Int(argument.index) < arguments.count ? arguments[Int(argument.index)] : 0
                return switch argument.op {
                case .equal: given == argument.value
                case .notEqual: given != argument.value
                case .less: given < argument.value
                case .lessOrEqual: given <= argument.value
                case .greater: given > argument.value
                case .greaterOrEqual: given >= argument.value
                case .maskedEqual: given & argument.value == (argument.valueTwo ?? 0)
                }
            }
            if holds { return rule.action == .allow ? allowed : 0x0005_0000 | (rule.errnoRet ?? 1) }
        }
        return permissionDenied
    }

    @Test func namesAreDockers() {
        let rules = SeccompProfile.docker.syscalls ?? []
        #expect(rules[0].names?.count == 361)
        #expect(Set(rules[0].names ?? []).count == 361, "no name twice")
        let names = Set(rules.flatMap { $0.names ?? [] })
        for absent in [
            "io_uring_setup", "keyctl", "add_key", "userfaultfd", "kexec_load", "_sysctl", "swapon",
        ] {
            #expect(!names.contains(absent))
        }
    }

    /// Every number of every architecture in the filter, with arguments that matter to some rule.
    @Test(arguments: [CapabilitySet.dockerDefault, .all, []])
    func programMeansTheProfile(_ capabilities: CapabilitySet) throws {
        let filter = try resolved(capabilities)
        let program = ClassicProgram(try SeccompCompiler.program(filter))
        var seen = 0
        for name in filter.architectures ?? [] {
            let token = SeccompCompiler.architecture(name)
            let offset: UInt32 = token == 0x4000_003e ? 0x4000_0000 : 0
            for number in UInt32(0)..<700 {
                guard let call = SeccompCompiler.name(of: Int32(number | offset), on: token) else { continue }
                seen += 1
                for first in [
                    UInt64(0), 8, 1, 2, 16, 38, 40, 45, 46, 0x20008, 0x1000_0000, 0x11, 0xffff_ffff,
                ] {
                    let got = program.run(
                        architecture: auditArchitecture(token), number: number | offset, [first])
                    #expect(got == meaning(filter, call, [first]), "\(name) \(call)(\(first))")
                }
            }
        }
        #expect(seen > 300)
    }

    /// AF_ALG and AF_VSOCK, also when the upper half of the register holds something.
    @Test func cve202631431CryptoSocketsAreDenied() throws {
        let filter = try resolved()
        let program = ClassicProgram(try SeccompCompiler.program(filter))
        let token = SeccompCompiler.architecture(filter.architectures?.first ?? "")
        let number = (UInt32(0)..<400).first { SeccompCompiler.name(of: Int32($0), on: token) == "socket" }
        let socket = try #require(number)
        for family in [UInt64(38), 40, 0x1_0000_0026, 0xffff_ffff_0000_0028] {
            #expect(program.run(architecture: token, number: socket, [family]) == permissionDenied)
        }
        #expect(program.run(architecture: token, number: socket, [2]) == allowed)
    }

    @Test func newerNumbersAreNotImplemented() throws {
        let filter = try resolved()
        let program = ClassicProgram(try SeccompCompiler.program(filter))
        for name in filter.architectures ?? [] {
            let token = SeccompCompiler.architecture(name)
            let offset: UInt32 = token == 0x4000_003e ? 0x4000_0000 : 0
            for number in [UInt32(600), 1000, 0x0fff_ffff] {
                #expect(
                    program.run(architecture: auditArchitecture(token), number: number | offset)
                        == notImplemented,
                    "\(name) \(number)")
            }
        }
        // An architecture that the filter does not have is killed, not told of newer calls.
        #expect(program.run(architecture: 0x8000_0016, number: 900) == 0)
    }

    /// A profile that allows by default forbids what it names, and nothing that is new.
    @Test func defaultAllowHasNoStub() throws {
        var filter = RuntimeSpec.Seccomp(defaultAction: .allow)
        filter.syscalls = [
            RuntimeSpec.Seccomp.Syscall(
                names: ["mkdir", "mkdirat", "no_such_call"], action: .errno, errnoRet: 30)
        ]
        let program = ClassicProgram(try SeccompCompiler.program(filter))
        let token = SeccompCompiler.architecture(
            Machine.architecture == "amd64" ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64")
        #expect(program.run(architecture: token, number: 9_999) == allowed)
        for number in Int32(0)..<500 {
            let name = SeccompCompiler.name(of: number, on: token)
            let wanted = name == "mkdir" || name == "mkdirat" ? 0x0005_001e : allowed
            #expect(program.run(architecture: token, number: UInt32(number)) == wanted)
        }
    }

    @Test func wrongFiltersAreTold() {
        var filter = RuntimeSpec.Seccomp(defaultAction: .errno)
        filter.architectures = ["SCMP_ARCH_Z80"]
        #expect(throws: Failure.self) { try SeccompCompiler.program(filter) }
        filter.architectures = nil
        filter.syscalls = [RuntimeSpec.Seccomp.Syscall(names: ["write"], action: .notify)]
        #expect(throws: Failure.self) { try SeccompCompiler.program(filter) }
    }

    @Test func fileIsMadeOnceAndTrustedOnlyIfOurs() throws {
        let directory = "/dev/shm/ctr-seccomp-\(randomHex(bytes: 6))"
        defer { try? Directory.removeTree(directory) }
        let path = try SeccompFilter.blobPath(
            .builtin, capabilities: .dockerDefault, cacheDirectory: directory)
        let first = try FileDescriptor.status(path)
        #expect(first.permissions == 0o600)
        #expect(try FileDescriptor.status(directory).permissions == 0o700)
        #expect(try AtomicFile.read(path) == SeccompFilter.program(.builtin, capabilities: .dockerDefault))
        let again = try SeccompFilter.blobPath(
            .builtin, capabilities: .dockerDefault, cacheDirectory: directory)
        #expect(again == path)
        #expect(try FileDescriptor.status(path).inode == first.inode)

        let other = try SeccompFilter.blobPath(.builtin, capabilities: .all, cacheDirectory: directory)
        #expect(other != path)

        // Somebody could write to it: made anew.
        try FileDescriptor.open(path, [.readWrite]).changeMode(0o666)
        _ = try SeccompFilter.blobPath(.builtin, capabilities: .dockerDefault, cacheDirectory: directory)
        #expect(try FileDescriptor.status(path).permissions == 0o600)
        // Torn.
        try FileDescriptor.open(path, [.readWrite]).truncate(to: 12)
        _ = try SeccompFilter.blobPath(.builtin, capabilities: .dockerDefault, cacheDirectory: directory)
        #expect(try AtomicFile.read(path) == SeccompFilter.program(.builtin, capabilities: .dockerDefault))
    }

    @Test func digestIsTheKnownOne() {
        // Published values of FNV-1a, 128 bits.
        #expect(SeccompFilter.digest("") == "6c62272e07bb014262b821756295c58d")
        #expect(SeccompFilter.digest("a") == "d228cb696f1a8caf78912b704e4a8964")
    }
}
