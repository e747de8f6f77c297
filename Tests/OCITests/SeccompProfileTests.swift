import Failure
import OCI
import Testing

@Suite struct SeccompProfileTests {
    static let profile = #"""
        {"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,
         "archMap":[{"architecture":"SCMP_ARCH_X86_64","subArchitectures":["SCMP_ARCH_X86","SCMP_ARCH_X32"]},
                    {"architecture":"SCMP_ARCH_AARCH64","subArchitectures":["SCMP_ARCH_ARM"]}],
         "syscalls":[
          {"names":["read","write"],"action":"SCMP_ACT_ALLOW","comment":"x","includes":{},"excludes":{}},
          {"names":["ptrace"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"4.8"}},
          {"names":["old"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":"6.10"}},
          {"names":["arch_prctl"],"action":"SCMP_ACT_ALLOW","includes":{"arches":["amd64","x32"]}},
          {"names":["notarm"],"action":"SCMP_ACT_ALLOW","excludes":{"arches":["arm64"]}},
          {"names":["mount"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN"]}},
          {"names":["both"],"action":"SCMP_ACT_ALLOW","includes":{"caps":["CAP_SYS_ADMIN","CAP_BPF"]}},
          {"names":["clone3"],"action":"SCMP_ACT_ERRNO","errnoRet":38,"excludes":{"caps":["CAP_SYS_ADMIN"]}},
          {"names":["clone4"],"action":"SCMP_ACT_ERRNO","errno":"ENOSYS"},
          {"name":"clone","action":"SCMP_ACT_ALLOW","args":[
            {"index":0,"value":2114060288,"op":"SCMP_CMP_MASKED_EQ"},
            {"index":1,"value":18446744073709551615,"valueTwo":0,"op":"SCMP_CMP_NE"}],
           "excludes":{"caps":["CAP_SYS_ADMIN"],"arches":["s390x"]}}]}
        """#

    private func names(
        _ capabilities: Set<String>, _ architecture: String, _ kernel: (Int, Int)
    ) throws -> [String] {
        let profile = try SeccompProfile(bytes: Array(Self.profile.utf8))
        let filter = try profile.resolved(
            capabilities: capabilities, architecture: architecture, kernel: kernel)
        return (filter.syscalls ?? []).flatMap(\.names)
    }

    @Test func conditions() throws {
        #expect(
            try names([], "amd64", (6, 1))
                == ["read", "write", "ptrace", "old", "arch_prctl", "notarm", "clone3", "clone4", "clone"])
        #expect(
            try names([], "aarch64", (6, 12)) == ["read", "write", "ptrace", "clone3", "clone4", "clone"])
        #expect(try names([], "arm64", (6, 10)) == ["read", "write", "ptrace", "clone3", "clone4", "clone"])
        #expect(
            try names([], "arm64", (6, 9)) == ["read", "write", "ptrace", "old", "clone3", "clone4", "clone"])
        #expect(try names(["CAP_SYS_ADMIN"], "arm64", (4, 7)) == ["read", "write", "old", "mount", "clone4"])
        #expect(
            try names(["CAP_SYS_ADMIN", "CAP_BPF"], "s390x", (5, 0))
                == ["read", "write", "ptrace", "old", "notarm", "mount", "both", "clone4"])
        #expect(try names([], "s390x", (5, 0)).contains("clone") == false)
    }

    @Test func resolvedFilter() throws {
        let profile = try SeccompProfile(bytes: Array(Self.profile.utf8))
        let filter = try profile.resolved(capabilities: [], architecture: "x86_64", kernel: (6, 1))
        #expect(filter.defaultAction == .errno)
        #expect(filter.defaultErrnoRet == 1)
        #expect(filter.architectures == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
        let byName = Dictionary(uniqueKeysWithValues: (filter.syscalls ?? []).map { ($0.names[0], $0) })
        #expect(byName["clone3"]?.errnoRet == 38)
        #expect(byName["clone4"]?.errnoRet == 38)
        #expect(byName["clone"]?.args?.first?.op == .maskedEqual)
        #expect(byName["clone"]?.args?.last?.value == .max)
        #expect(
            try profile.resolved(capabilities: [], architecture: "arm64", kernel: (6, 1)).architectures
                == ["SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"])
        #expect(
            try profile.resolved(capabilities: [], architecture: "riscv64", kernel: (6, 1)).architectures
                == nil)
        let again = try SeccompProfile(bytes: JSON.encode(profile))
        #expect(again == profile)
    }

    static let refused: [(String, String)] = [
        (#"{"defaultAction":"SCMP_ACT_NOTHING"}"#, "defaultAction"), (#"{}"#, "defaultAction: missing"),
        (
            #"{"defaultAction":"SCMP_ACT_ALLOW","architectures":["a"],"archMap":[{"architecture":"b"}]}"#,
            "beside architectures"
        ),
        (
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"action":"SCMP_ACT_ALLOW"}]}"#,
            "syscalls.0.names: missing"
        ),
        (
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_ALLOW"}]}"#,
            "beside names"
        ),
        (
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["b"],"action":"SCMP_ACT_ALLOW","includes":{"minKernel":"5"}}]}"#,
            "minKernel"
        ),
        (
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["b"],"action":"SCMP_ACT_ALLOW","excludes":{"minKernel":"5.x"}}]}"#,
            "minKernel"
        ),
        (#"{"defaultAction":"SCMP_ACT_ALLOW","defaultErrno":"EWHAT"}"#, "EWHAT"),
        (
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["b"],"action":"SCMP_ACT_ALLOW","args":[{"index":0,"value":-1,"op":"SCMP_CMP_EQ"}]}]}"#,
            "syscalls.0.args.0.value"
        ),
    ]

    @Test(arguments: refused)
    func refuses(document: String, reason: String) {
        let failed = failure(of: {
            try SeccompProfile(bytes: Array(document.utf8))
                .resolved(capabilities: [], architecture: "amd64", kernel: (6, 1))
        })
        #expect(failed?.code == .invalidArgument)
        #expect(failed?.message.contains(reason) == true, "\(failed?.message ?? "")")
    }
}
