package import Failure

/// A set of capabilities (capabilities(7)); bit n is capability n.
package struct CapabilitySet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Names in the kernel's numbering, 0 to 40, without the prefix.
    static let names = [
        "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP",
        "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW", "IPC_LOCK",
        "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN",
        "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD", "LEASE", "AUDIT_WRITE",
        "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND",
        "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
    ]

    /// Every capability that ctr knows by name.
    package static let all = CapabilitySet(rawValue: (1 << UInt64(names.count)) - 1)

    /// docker's default set: what a container's root needs to install packages, change users and open low ports.
    package static let dockerDefault = CapabilitySet(
        known: "CHOWN", "DAC_OVERRIDE", "FSETID", "FOWNER", "MKNOD", "NET_RAW", "SETGID", "SETUID", "SETFCAP",
        "SETPCAP", "NET_BIND_SERVICE", "SYS_CHROOT", "KILL", "AUDIT_WRITE")

    private init(known names: String...) {
        self = []
        for name in names {
            if let one = CapabilitySet(name: name) { formUnion(one) }
        }
    }

    /// One capability by its name, with or without `CAP_`, in any case; nil for a name that the kernel's list of
    /// 41 lacks.
    package init?(name: String) {
        var upper = name.uppercased()
        if upper.hasPrefix("CAP_") { upper.removeFirst(4) }
        guard let number = CapabilitySet.names.firstIndex(of: upper) else { return nil }
        self.init(rawValue: 1 << UInt64(number))
    }

    /// `CAP_CHOWN`, …, in the kernel's order.
    package var names: [String] {
        CapabilitySet.names.indices.filter { rawValue & (1 << UInt64($0)) != 0 }.map {
            "CAP_" + CapabilitySet.names[$0]
        }
    }

    /// A list as runtime-spec has it. Names that this build does not know are left out, as the specification asks
    /// (config.md, "capabilities": what cannot be granted must not fail the container).
    package init(specNames: [String]?) {
        self = []
        for name in specNames ?? [] where name.hasPrefix("CAP_") {
            if let one = CapabilitySet(name: name) { formUnion(one) }
        }
    }
}

extension CapabilitySet {
    /// docker's `--cap-add`, `--cap-drop` and `--privileged` on top of the default set.
    ///
    /// - Parameter available: what this process may hand on. All-of-them requests mean all of these; one asked for
    ///   by name that is not among them is an error.
    /// - Throws: `invalidArgument` for an unknown name, `permissionDenied` for one that ctr itself lacks.
    package static func granted(
        add: [String], drop: [String], privileged: Bool, available: CapabilitySet
    ) throws(Failure) -> CapabilitySet {
        let added = try parse(add, flag: "--cap-add")
        let dropped = try parse(drop, flag: "--cap-drop")
        if privileged { return all.intersection(available) }
        let missing = added.named.subtracting(available)
        if let name = missing.names.first {
            throw Failure(
                .permissionDenied, "--cap-add \(name): ctr itself does not hold this capability",
                hint: "run ctr where it has \(name), or leave it out")
        }
        if added.all { return all.intersection(available).subtracting(dropped.named) }
        if dropped.all { return added.named }
        return dockerDefault.subtracting(dropped.named).union(added.named).intersection(available)
    }

    private static func parse(_ list: [String], flag: String) throws(Failure) -> (
        all: Bool, named: CapabilitySet
    ) {
        var everything = false
        var named: CapabilitySet = []
        for name in list {
            if name.uppercased() == "ALL" {
                everything = true
                continue
            }
            guard let one = CapabilitySet(name: name) else {
                throw Failure(
                    .invalidArgument, "\(flag) \(name): unknown capability",
                    hint: "names are those of capabilities(7), with or without CAP_, or ALL")
            }
            named.formUnion(one)
        }
        return (everything, named)
    }
}
