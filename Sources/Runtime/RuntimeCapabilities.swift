/// What this room can do, as lists, for whoever tells others.
package enum RuntimeCapabilities {
    /// Every mount option that is not one file system's own, sorted.
    package static var mountOptions: [String] {
        let attributes = MountOptions.attributeNames.keys
        let recursive = attributes.map { "r" + $0 }
        let others = ["bind", "rbind", "tmpcopyup", "idmap", "ridmap"]
        return Set(attributes).union(recursive).union(MountOptions.propagations.keys).union(others)
            .union(MountOptions.withoutEffect).union(MountOptions.superblockFlags).sorted()
    }

    /// `CAP_CHOWN`, …
    package static var capabilities: [String] { CapabilitySet.all.names }

    /// `SCMP_ARCH_X86_64`, …: those that libseccomp knows.
    package static var seccompArchitectures: [String] {
        [
            "AARCH64", "ARM", "LOONGARCH64", "MIPS", "MIPS64", "MIPS64N32", "MIPSEL", "MIPSEL64",
            "MIPSEL64N32",
            "PARISC", "PARISC64", "PPC", "PPC64", "PPC64LE", "RISCV64", "S390", "S390X", "X32", "X86",
            "X86_64",
        ].map { "SCMP_ARCH_" + $0 }.filter { SeccompCompiler.architecture($0) != 0 }
    }

    package static var libseccompVersion: String { SeccompCompiler.libraryVersion() }
}
