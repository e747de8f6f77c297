internal import CSeccomp
internal import Failure
internal import Glibc
internal import LinuxSystem
internal import OCI

/// A filter of runtime-spec as a program of the kernel's classic BPF, through libseccomp.
enum SeccompCompiler {
    /// The struct sock_filter instructions for seccomp(2).
    ///
    /// Names that libseccomp does not know are left out: they are newer than it or of another architecture. Where the
    /// default forbids, numbers beyond all that the filter names answer ENOSYS, not the default: a C library that tries
    /// a new call first must hear that it is new, or it does not fall back.
    /// - Throws: `invalidArgument` for an architecture or rule that libseccomp refuses.
    static func program(_ filter: RuntimeSpec.Seccomp) throws(Failure) -> [UInt8] {
        guard filter.defaultAction != .notify else {
            throw Failure(.invalidArgument, "seccomp: SCMP_ACT_NOTIFY cannot be the default action")
        }
        // How the child tells of the listener; it would wait for itself.
        guard filter.syscalls?.contains(where: { $0.action == .notify && $0.names.contains("write") }) != true
        else {
            throw Failure(.invalidArgument, "seccomp: SCMP_ACT_NOTIFY cannot be used for write")
        }
        let defaultAction = action(filter.defaultAction, errno: filter.defaultErrnoRet)
        guard let context = seccomp_init(defaultAction) else {
            throw Failure(.internal, "seccomp: libseccomp refuses the default action")
        }
        defer { seccomp_release(context) }
        let architectures = try add(filter.architectures ?? [], to: context)
        // A binary tree by number: the program is made once and run at every call. Without no-new-privileges, which
        // is the plan's to set.
        try check(seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimisation")
        try check(seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0), "no_new_privs")
        for rule in filter.syscalls ?? [] { try add(rule, defaultAction: defaultAction, to: context) }

        let names = (filter.syscalls ?? []).flatMap(\.names)
        let forbids = ![.allow, .log, .trace].contains(filter.defaultAction)
        let stub = forbids ? SeccompStub.program(newest(names, on: architectures)) : []
        return stub + (try export(context))
    }

    /// Replaces the native architecture by those asked for; answers all of them.
    private static func add(_ names: [String], to context: scmp_filter_ctx) throws(Failure) -> [UInt32] {
        if names.isEmpty { return [seccomp_arch_native()] }
        var tokens: [UInt32] = []
        for name in names {
            let token = architecture(name)
            guard token != 0 else {
                throw Failure(.invalidArgument, "seccomp: \(name) is no architecture that libseccomp knows")
            }
            // EEXIST: the native one is there from the beginning.
            let answer = seccomp_arch_add(context, token)
            if answer != -EEXIST { try check(answer, name) }
            if !tokens.contains(token) { tokens.append(token) }
        }
        if !tokens.contains(seccomp_arch_native()) {
            try check(seccomp_arch_remove(context, seccomp_arch_native()), "native architecture")
        }
        return tokens
    }

    /// `SCMP_ARCH_X86_64`; 0 for one that libseccomp does not know.
    static func architecture(_ name: String) -> UInt32 {
        guard name.hasPrefix("SCMP_ARCH_") else { return 0 }
        return seccomp_arch_resolve_name(name.dropFirst("SCMP_ARCH_".count).lowercased())
    }

    private static func add(
        _ rule: RuntimeSpec.Seccomp.Syscall, defaultAction: UInt32, to context: scmp_filter_ctx
    ) throws(Failure) {
        let action = action(rule.action, errno: rule.errnoRet)
        // It says what is so already, and libseccomp refuses it.
        if action == defaultAction { return }
        let arguments = rule.args ?? []
        // libseccomp takes each argument once in a rule. Several conditions on one are alternatives then, as runc has
        // them.
        let areAlternatives = Set(arguments.map(\.index)).count < arguments.count
        let chains = areAlternatives ? arguments.map { [$0] } : [arguments]
        for name in rule.names {
            let number = seccomp_syscall_resolve_name(name)
            if number == unknown { continue }
            for chain in chains {
                let comparisons = chain.map(comparison)
                let answer = seccomp_rule_add_array(
                    context, action, number, UInt32(comparisons.count), comparisons)
                try check(answer, "rule for \(name)")
            }
        }
    }

    /// __NR_SCMP_ERROR
    private static let unknown: Int32 = -1

    private static func comparison(_ argument: RuntimeSpec.Seccomp.Argument) -> scmp_arg_cmp {
        let op =
            switch argument.op {
            case .notEqual: SCMP_CMP_NE
            case .less: SCMP_CMP_LT
            case .lessOrEqual: SCMP_CMP_LE
            case .equal: SCMP_CMP_EQ
            case .greaterOrEqual: SCMP_CMP_GE
            case .greater: SCMP_CMP_GT
            case .maskedEqual: SCMP_CMP_MASKED_EQ
            }
        return scmp_arg_cmp(
            arg: argument.index, op: op, datum_a: argument.value, datum_b: argument.valueTwo ?? 0)
    }

    /// SECCOMP_RET_* with its data (seccomp(2)).
    private static func action(_ action: RuntimeSpec.Seccomp.Action, errno: UInt32?) -> UInt32 {
        switch action {
        case .kill, .killThread: return 0
        case .killProcess: return 0x8000_0000
        case .trap: return 0x0003_0000
        case .errno: return 0x0005_0000 | (errno ?? 1) & 0xffff
        case .trace: return 0x7ff0_0000 | (errno ?? 1) & 0xffff
        case .log: return 0x7ffc_0000
        case .allow: return 0x7fff_0000
        case .notify: return 0x7fc0_0000
        }
    }

    private static func check(_ answer: Int32, _ what: String) throws(Failure) {
        guard answer < 0 else { return }
        throw Failure(
            .invalidArgument, "seccomp: \(what): libseccomp answers \(String(cString: strerror(-answer)))")
    }

    private static func export(_ context: scmp_filter_ctx) throws(Failure) -> [UInt8] {
        do throws(SystemError) {
            let file = try FileDescriptor.memory("seccomp")
            let answer = seccomp_export_bpf(context, file.raw)
            guard answer >= 0 else {
                throw SystemError(call: "seccomp_export_bpf", path: nil, errno: -answer)
            }
            try file.seek(to: 0)
            return try file.readAll(limit: 1 << 20)
        } catch {
            throw error.failure("seccomp: export the program")
        }
    }

    /// The highest number named, by architecture token.
    private static func newest(_ names: [String], on architectures: [UInt32]) -> [UInt32: UInt32] {
        var newest: [UInt32: UInt32] = [:]
        for token in architectures {
            let numbers = names.map { seccomp_syscall_resolve_name_arch(token, $0) }.filter { $0 >= 0 }
            if let last = numbers.max() { newest[token] = UInt32(last) }
        }
        return newest
    }

    /// The name of a number, for tests of the whole table.
    static func name(of number: Int32, on architecture: UInt32) -> String? {
        guard let name = seccomp_syscall_resolve_num_arch(architecture, number) else { return nil }
        defer { free(name) }
        return String(cString: name)
    }

    /// `2.5.4`
    static func libraryVersion() -> String {
        guard let version = seccomp_version()?.pointee else { return "unknown" }
        return "\(version.major).\(version.minor).\(version.micro)"
    }
}
