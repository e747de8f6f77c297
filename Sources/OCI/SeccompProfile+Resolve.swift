package import Failure

extension SeccompProfile {
    /// The filter for one container: a rule stays if all that it includes holds and nothing that it excludes.
    ///
    /// - Parameters:
    ///   - capabilities: the container's bounding set, `CAP_CHOWN`.
    ///   - architecture: of the machine, as a platform has it: `amd64`.
    ///   - kernel: the running kernel's major and minor number.
    /// - Throws: `invalidArgument` for what contradicts itself or cannot be understood.
    package func resolved(
        capabilities: Set<String>, architecture: String, kernel: (Int, Int)
    ) throws(Failure) -> RuntimeSpec.Seccomp {
        let normalized = Platform(os: "linux", architecture: architecture).normalized.architecture
        let arch = normalized == "386" ? "x86" : normalized

        var seccomp = RuntimeSpec.Seccomp(defaultAction: defaultAction)
        seccomp.defaultErrnoRet = try SeccompProfile.errno(defaultErrnoRet, defaultErrno, "defaultErrno")
        seccomp.flags = flags
        seccomp.listenerPath = listenerPath
        seccomp.listenerMetadata = listenerMetadata
        seccomp.architectures = try filterArchitectures(on: arch)

        var kept: [RuntimeSpec.Seccomp.Syscall] = []
        for (index, rule) in (syscalls ?? []).enumerated() {
            let path = "syscalls.\(index)"
            let names = try rule.allNames(path)
            let isIncluded =
                try rule.includes?.allHold(capabilities, arch, kernel, "\(path).includes") ?? true
            let isExcluded =
                try rule.excludes?.anyHolds(capabilities, arch, kernel, "\(path).excludes") ?? false
            guard isIncluded, !isExcluded else { continue }
            kept.append(
                RuntimeSpec.Seccomp.Syscall(
                    names: names, action: rule.action,
                    errnoRet: try SeccompProfile.errno(rule.errnoRet, rule.errno, "\(path).errno"),
                    args: rule.args))
        }
        seccomp.syscalls = kept
        return seccomp
    }

    private func filterArchitectures(on arch: String) throws(Failure) -> [String]? {
        let fixed = architectures ?? []
        let mapped = archMap ?? []
        guard fixed.isEmpty || mapped.isEmpty else {
            throw SeccompProfile.fault("archMap", "given beside architectures")
        }
        if !fixed.isEmpty { return fixed }
        guard let native = SeccompProfile.libseccompNames[arch],
            let entry = mapped.first(where: { $0.architecture == native })
        else { return nil }
        return [entry.architecture] + (entry.subArchitectures ?? [])
    }

    fileprivate static func fault(_ path: String, _ why: String) -> Failure {
        Failure(.invalidArgument, "seccomp profile: \(path): \(why)")
    }

    private static let libseccompNames = [
        "amd64": "SCMP_ARCH_X86_64", "x86": "SCMP_ARCH_X86", "arm64": "SCMP_ARCH_AARCH64",
        "arm": "SCMP_ARCH_ARM",
    ]

    private static func errno(
        _ number: UInt32?, _ name: String?, _ path: String
    ) throws(Failure) -> UInt32? {
        if let number { return number }
        guard let name, !name.isEmpty else { return nil }
        guard let value = errnoNumbers[name] else {
            throw fault(path, "\(name.quotedForMessage) is not known; give its number as errnoRet")
        }
        return value
    }

    /// Those that profiles return; the same on x86_64 and aarch64 (asm-generic/errno-base.h, errno.h).
    private static let errnoNumbers: [String: UInt32] = [
        "EPERM": 1, "ENOENT": 2, "ESRCH": 3, "EINTR": 4, "EIO": 5, "ENXIO": 6, "EBADF": 9, "EAGAIN": 11,
        "ENOMEM": 12, "EACCES": 13, "EFAULT": 14, "EBUSY": 16, "EEXIST": 17, "ENODEV": 19, "EINVAL": 22,
        "ENOSPC": 28, "EROFS": 30, "ENOSYS": 38, "EPROTONOSUPPORT": 93, "ESOCKTNOSUPPORT": 94,
        "EOPNOTSUPP": 95, "ENOTSUP": 95, "EAFNOSUPPORT": 97,
    ]
}

extension SeccompProfile.Rule {
    fileprivate func allNames(_ path: String) throws(Failure) -> [String] {
        let list = names ?? []
        guard let name, !name.isEmpty else {
            guard !list.isEmpty else { throw SeccompProfile.fault("\(path).names", "missing") }
            return list
        }
        guard list.isEmpty else { throw SeccompProfile.fault("\(path).name", "given beside names") }
        return [name]
    }
}

extension SeccompProfile.Condition {
    fileprivate func allHold(
        _ capabilities: Set<String>, _ arch: String, _ kernel: (Int, Int), _ path: String
    ) throws(Failure) -> Bool {
        let hasArch = (arches ?? []).isEmpty || (arches ?? []).contains(arch)
        let isNewEnough = try minimum(path).map { kernel >= $0 } ?? true
        return hasArch && isNewEnough && (caps ?? []).allSatisfy(capabilities.contains)
    }

    fileprivate func anyHolds(
        _ capabilities: Set<String>, _ arch: String, _ kernel: (Int, Int), _ path: String
    ) throws(Failure) -> Bool {
        let isNewEnough = try minimum(path).map { kernel >= $0 } ?? false
        return (arches ?? []).contains(arch) || isNewEnough
            || (caps ?? []).contains(where: capabilities.contains)
    }

    private func minimum(_ path: String) throws(Failure) -> (Int, Int)? {
        guard let minKernel, !minKernel.isEmpty else { return nil }
        let parts = minKernel.split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard parts.count == 2, let major = parts[0], let minor = parts[1], major >= 0, minor >= 0 else {
            throw SeccompProfile.fault(
                "\(path).minKernel", "\(minKernel.quotedForMessage) is not a version such as 4.8")
        }
        return (major, minor)
    }
}
