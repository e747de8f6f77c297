package import Failure

extension RuntimeSpec {
    /// What the specification demands of a configuration that a runtime accepts, as far as the document alone
    /// tells.
    /// - Throws: `invalidArgument` with the path of the first field at fault; `unsupported` for a version other
    ///   than 1.x.
    package func check() throws(Failure) {
        try checkVersion()
        guard let root else { throw fault("root", "missing") }
        try checkText(root.path, "root.path", empty: false)
        try process?.check("process")
        for (index, mount) in (mounts ?? []).enumerated() { try mount.check("mounts.\(index)") }
        try hooks?.check()
        for key in (annotations ?? [:]).keys where key.isEmpty {
            throw fault("annotations", "a key is empty")
        }
        if let hostname { try checkText(hostname, "hostname", empty: true) }
        if let domainname { try checkText(domainname, "domainname", empty: true) }
        guard let linux else { return }
        try linux.check()

        let own = linux.newNamespaces
        if hostname?.isEmpty == false || domainname?.isEmpty == false {
            guard linux.namespaces?.contains(where: { $0.type == .uts }) == true else {
                throw fault("hostname", "hostname and domainname need a uts namespace")
            }
        }
        if linux.timeOffsets != nil, !own.contains(.time) {
            throw fault("linux.timeOffsets", "needs a new time namespace")
        }
        if own.contains(.user), (linux.uidMappings ?? []).isEmpty || (linux.gidMappings ?? []).isEmpty {
            throw fault("linux.uidMappings", "a new user namespace needs uidMappings and gidMappings")
        }
        for (name, device) in linux.netDevices ?? [:] {
            // As the kernel has them (dev_valid_name): 15 bytes, in one word.
            for name in [name, device.name ?? ""] where !name.isEmpty {
                guard name.utf8.count <= 15, name != ".", name != "..",
                    !name.utf8.contains(where: { $0 <= 0x20 || $0 == 0x2F || $0 == 0x3A })
                else { throw fault("linux.netDevices", "\(name.quotedForMessage) is no device's name") }
            }
        }
        if linux.netDevices?.isEmpty == false,
            linux.namespaces?.contains(where: { $0.type == .network }) != true
        {
            throw fault("linux.netDevices", "needs a network namespace")
        }
    }

    private func checkVersion() throws(Failure) {
        guard let major = RuntimeSpec.majorVersion(ociVersion) else {
            throw fault("ociVersion", "\(ociVersion.quotedForMessage) is not a version such as 1.3.0")
        }
        guard major == 1 else {
            throw Failure(
                .unsupported,
                "config.json: ociVersion: \(ociVersion.quotedForMessage) is not supported, only 1.x is")
        }
    }
}

extension RuntimeSpec {
    /// Of a version as SemVer 2.0.0 writes it: `1.0.2-dev.1+build`; nil for any other text.
    private static func majorVersion(_ text: String) -> UInt32? {
        func isNumber(_ part: some StringProtocol) -> Bool {
            part.utf8.allSatisfy { (0x30...0x39).contains($0) } && !part.isEmpty
                && (part.utf8.count == 1 || !part.hasPrefix("0"))
        }
        /// Dotted words of letters, digits and hyphens.
        func words(_ text: some StringProtocol) -> [Substring]? {
            let parts = Substring(text).split(separator: ".", omittingEmptySubsequences: false)
            let isFine = parts.allSatisfy { part in
                !part.isEmpty
                    && part.utf8.allSatisfy {
                        $0 == 0x2D || (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                            || (0x61...0x7A).contains($0)
                    }
            }
            return isFine ? parts : nil
        }
        let halves = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        if halves.count == 2, words(halves[1]) == nil { return nil }
        let parts = halves[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let words = words(parts[1]) else { return nil }
            let digits = words.filter { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
            guard digits.allSatisfy({ isNumber($0) }) else { return nil }
        }
        let numbers = parts[0].split(separator: ".", omittingEmptySubsequences: false)
        guard numbers.count == 3, numbers.allSatisfy({ isNumber($0) }) else { return nil }
        return UInt32(numbers[0])
    }
}

private func fault(_ path: String, _ why: String) -> Failure {
    Failure(.invalidArgument, "config.json: \(path): \(why)")
}

/// The kernel ends texts at NUL: one inside would mean something else than what was checked.
private func checkText(_ text: String, _ path: String, empty: Bool) throws(Failure) {
    guard empty || !text.isEmpty else { throw fault(path, "is empty") }
    guard !text.utf8.contains(0) else { throw fault(path, "\(text.quotedForMessage) holds a NUL byte") }
}

private func checkTexts(_ texts: [String]?, _ path: String) throws(Failure) {
    for (index, text) in (texts ?? []).enumerated() { try checkText(text, "\(path).\(index)", empty: true) }
}

private func checkAbsolute(_ text: String, _ path: String) throws(Failure) {
    try checkText(text, path, empty: false)
    guard text.hasPrefix("/") else { throw fault(path, "\(text.quotedForMessage) is not an absolute path") }
}

private func checkMappings(_ mappings: [RuntimeSpec.IDMapping]?, _ path: String) throws(Failure) {
    let mappings = mappings ?? []
    // user_namespaces(7): at most 340 lines.
    guard mappings.count <= 340 else { throw fault(path, "\(mappings.count) mappings, more than 340") }
    for (index, mapping) in mappings.enumerated() {
        guard mapping.size > 0 else { throw fault("\(path).\(index).size", "is 0") }
        // 4294967295 is the kernel's "no id" and cannot be mapped.
        let room = UInt64(UInt32.max)
        guard UInt64(mapping.containerID) + UInt64(mapping.size) <= room,
            UInt64(mapping.hostID) + UInt64(mapping.size) <= room
        else { throw fault("\(path).\(index)", "ids go beyond 4294967294") }
    }
    let sides = [
        ("containerID", mappings.map { (start: $0.containerID, size: $0.size) }),
        ("hostID", mappings.map { (start: $0.hostID, size: $0.size) }),
    ]
    for (side, ranges) in sides {
        let sorted = ranges.sorted { $0.start < $1.start }
        for (lower, upper) in zip(sorted, sorted.dropFirst())
        where UInt64(lower.start) + UInt64(lower.size) > UInt64(upper.start) {
            throw fault(path, "two mappings overlap at \(side) \(upper.start)")
        }
    }
}

extension RuntimeSpec.Process {
    /// As part of `RuntimeSpec.check`, and for the process document that `exec --process` reads.
    /// - Throws: `invalidArgument`; `path` is what the message calls this value.
    package func check(_ path: String) throws(Failure) {
        try checkAbsolute(cwd, "\(path).cwd")
        if let args {
            guard !args.isEmpty else { throw fault("\(path).args", "is empty") }
            try checkTexts(args, "\(path).args")
            try checkText(args[0], "\(path).args.0", empty: false)
        }
        try checkTexts(env, "\(path).env")
        var seen: Set<String> = []
        for (index, limit) in (rlimits ?? []).enumerated() {
            let at = "\(path).rlimits.\(index)"
            guard limit.type.hasPrefix("RLIMIT_") else {
                throw fault("\(at).type", "\(limit.type.quotedForMessage) is not an RLIMIT_ name")
            }
            guard seen.insert(limit.type).inserted else {
                throw fault("\(at).type", "\(limit.type.quotedForMessage) is given twice")
            }
            guard limit.soft <= limit.hard else {
                throw fault(at, "soft \(limit.soft) is above hard \(limit.hard)")
            }
        }
        if let umask = user?.umask, umask > 0o777 {
            throw fault("\(path).user.umask", "\(umask) is above 0777")
        }
        if let oomScoreAdj, !(-1000...1000).contains(oomScoreAdj) {
            throw fault("\(path).oomScoreAdj", "\(oomScoreAdj) is not between -1000 and 1000")
        }
        if let priority = ioPriority?.priority, !(0...7).contains(priority) {
            throw fault("\(path).ioPriority.priority", "\(priority) is not between 0 and 7")
        }
        for (list, name) in [(execCPUAffinity?.initial, "initial"), (execCPUAffinity?.final, "final")] {
            guard let list else { continue }
            guard list.utf8.allSatisfy({ (0x30...0x39).contains($0) || [0x2C, 0x2D, 0x20].contains($0) })
            else {
                throw fault("\(path).execCPUAffinity.\(name)", "\(list.quotedForMessage) is not a CPU list")
            }
        }
    }
}

extension RuntimeSpec.Mount {
    fileprivate func check(_ path: String) throws(Failure) {
        try checkText(destination, "\(path).destination", empty: false)
        if let source { try checkText(source, "\(path).source", empty: true) }
        if let type { try checkText(type, "\(path).type", empty: true) }
        try checkTexts(options, "\(path).options")
        try checkMappings(uidMappings, "\(path).uidMappings")
        try checkMappings(gidMappings, "\(path).gidMappings")
        guard (uidMappings ?? []).isEmpty == (gidMappings ?? []).isEmpty else {
            throw fault(path, "uidMappings and gidMappings go together")
        }
    }
}

extension RuntimeSpec.Hooks {
    fileprivate func check() throws(Failure) {
        let all = [
            ("prestart", prestart), ("createRuntime", createRuntime), ("createContainer", createContainer),
            ("startContainer", startContainer), ("poststart", poststart), ("poststop", poststop),
        ]
        for (name, hooks) in all {
            for (index, hook) in (hooks ?? []).enumerated() {
                let path = "hooks.\(name).\(index)"
                try checkAbsolute(hook.path, "\(path).path")
                try checkTexts(hook.args, "\(path).args")
                try checkTexts(hook.env, "\(path).env")
                if let timeout = hook.timeout, timeout <= 0 {
                    throw fault("\(path).timeout", "\(timeout) is not above 0")
                }
            }
        }
    }
}

extension RuntimeSpec.Linux {
    /// The kinds for which a namespace is made, not joined.
    package var newNamespaces: Set<RuntimeSpec.Namespace.Kind> {
        Set((namespaces ?? []).filter { $0.path?.isEmpty ?? true }.map(\.type))
    }

    fileprivate func check() throws(Failure) {
        var kinds: Set<RuntimeSpec.Namespace.Kind> = []
        for (index, namespace) in (namespaces ?? []).enumerated() {
            guard kinds.insert(namespace.type).inserted else {
                throw fault("linux.namespaces.\(index)", "\(namespace.type.rawValue) is given twice")
            }
            if let path = namespace.path, !path.isEmpty {
                try checkAbsolute(path, "linux.namespaces.\(index).path")
            }
        }
        try checkMappings(uidMappings, "linux.uidMappings")
        try checkMappings(gidMappings, "linux.gidMappings")
        if !kinds.contains(.user), !((uidMappings ?? []).isEmpty && (gidMappings ?? []).isEmpty) {
            throw fault("linux.uidMappings", "id mappings need a user namespace")
        }
        for (index, device) in (devices ?? []).enumerated() {
            let path = "linux.devices.\(index)"
            try checkAbsolute(device.path, "\(path).path")
            guard device.type == .fifo || (device.major != nil && device.minor != nil) else {
                throw fault(path, "\(device.path.quotedForMessage) has no major and minor number")
            }
        }
        try resources?.check("linux.resources")
        for key in (sysctl ?? [:]).keys.sorted() {
            let parts = key.split(whereSeparator: { $0 == "." || $0 == "/" })
            guard !parts.isEmpty, !key.contains(".."), !key.hasPrefix("/"), !key.utf8.contains(0) else {
                throw fault("linux.sysctl", "\(key.quotedForMessage) is not a kernel parameter's name")
            }
        }
        let propagations = ["private", "shared", "slave", "unbindable"]
        if let rootfsPropagation, !rootfsPropagation.isEmpty,
            !propagations.contains(where: { rootfsPropagation == $0 || rootfsPropagation == "r" + $0 })
        {
            throw fault(
                "linux.rootfsPropagation",
                "\(rootfsPropagation.quotedForMessage) is not private, shared, slave or unbindable")
        }
        for (paths, name) in [(maskedPaths, "maskedPaths"), (readonlyPaths, "readonlyPaths")] {
            for (index, path) in (paths ?? []).enumerated() {
                try checkAbsolute(path, "linux.\(name).\(index)")
            }
        }
        if let cgroupsPath { try checkText(cgroupsPath, "linux.cgroupsPath", empty: true) }
        if let memoryPolicy, memoryPolicy.mode == nil {
            throw fault("linux.memoryPolicy.mode", "missing")
        }
        if let personality, personality.domain == nil {
            throw fault("linux.personality.domain", "missing")
        }
        try seccomp?.check()
    }
}

extension RuntimeSpec.Resources {
    fileprivate func check(_ path: String) throws(Failure) {
        for (index, rule) in (devices ?? []).enumerated() {
            let at = "\(path).devices.\(index)"
            guard ["", "a", "b", "c"].contains(rule.type ?? "") else {
                throw fault("\(at).type", "\((rule.type ?? "").quotedForMessage) is not a, b or c")
            }
            guard (rule.access ?? "").allSatisfy({ "rwm".contains($0) }) else {
                throw fault("\(at).access", "\((rule.access ?? "").quotedForMessage) is not of r, w, m")
            }
        }
        for file in (unified ?? [:]).keys.sorted() {
            // A file of the container's own cgroup, never a path to another.
            guard !file.isEmpty, !file.hasPrefix("."), !file.utf8.contains(where: { $0 == 0x2F || $0 == 0 })
            else { throw fault("\(path).unified", "\(file.quotedForMessage) is not a file's name") }
        }
        for (name, limit) in rdma ?? [:] where limit.hcaHandles == nil && limit.hcaObjects == nil {
            throw fault("\(path).rdma.\(name)", "one of hcaHandles and hcaObjects is needed")
        }
        for (index, device) in (blockIO?.weightDevice ?? []).enumerated()
        where device.weight == nil && device.leafWeight == nil {
            throw fault("\(path).blockIO.weightDevice.\(index)", "one of weight and leafWeight is needed")
        }
        if let swappiness = memory?.swappiness, swappiness > 100 {
            throw fault("\(path).memory.swappiness", "\(swappiness) is above 100")
        }
    }

    /// As `update` reads it: a document of its own.
    package func check() throws(Failure) { try check("linux.resources") }
}

extension RuntimeSpec.Seccomp {
    fileprivate func check() throws(Failure) {
        for (index, syscall) in (syscalls ?? []).enumerated() {
            let path = "linux.seccomp.syscalls.\(index)"
            guard !syscall.names.isEmpty else { throw fault("\(path).names", "is empty") }
            guard syscall.errnoRet == nil || syscall.action.hasErrno else {
                throw fault("\(path).errnoRet", "\(syscall.action.rawValue) answers no errno")
            }
            for (position, argument) in (syscall.args ?? []).enumerated() where argument.index > 5 {
                throw fault("\(path).args.\(position).index", "\(argument.index) is above 5")
            }
        }
        guard defaultErrnoRet == nil || defaultAction.hasErrno else {
            throw fault("linux.seccomp.defaultErrnoRet", "\(defaultAction.rawValue) answers no errno")
        }
        guard listenerMetadata == nil || listenerPath != nil else {
            throw fault("linux.seccomp.listenerMetadata", "there is no listenerPath")
        }
        if notifies, (listenerPath ?? "").isEmpty {
            throw fault("linux.seccomp.listenerPath", "missing, but an action is SCMP_ACT_NOTIFY")
        }
    }
}
