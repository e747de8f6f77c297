extension Step {
    /// nil where the numbers and strings are not those of such a step.
    package init?(_ step: EncodedStep) {
        let a = step.arguments
        let s = step.strings
        guard a.count >= step.code.least.arguments, s.count >= step.code.least.strings else { return nil }
        switch step.code {
        case .awaitParent: self = .awaitParent(stage: low(a[0]))
        case .becomeRoot: self = .becomeRoot
        case .timeOffsets: self = .timeOffsets(s[0])
        case .joinCgroup: self = .joinCgroup(signed(a[0]))
        case .joinNamespace: self = .joinNamespace(signed(a[0]), flags: a[1])
        case .unshare: self = .unshare(flags: a[0])
        case .newSession: self = .newSession
        case .newKeyring: self = .newKeyring(name: s[0])
        case .setPropagation: self = .setPropagation(flags: a[0])
        case .attachRoot: self = .attachRoot(signed(a[0]), at: s[0], sharesMounts: a[1] != 0)
        case .enterRoot: self = .enterRoot(signed(a[0]))
        case .remount:
            guard s.count % 2 == 1 else { return nil }
            self = .remount(
                inRoot: s[0], change: AttributeChange(set: a[0], clear: a[1]),
                options: options(s, from: 1))
        case .mount:
            guard s.count % 2 == 1 else { return nil }
            self = .mount(
                type: s[0], source: s[1], inRoot: s[2], attributes: a[0],
                options: options(s, from: 3),
                copyUp: a[1] != 0)
        case .attachMount:
            self = .attachMount(signed(a[0]), inRoot: s[0], isDirectory: a[1] != 0, propagation: a[2])
        case .bind: self = .bind(source: s[0], inRoot: s[1], attributes: a[0], recursive: a[1] != 0)
        case .bindHost: self = .bindHost(directory: s[0], inRoot: s[1], attributes: a[0])
        case .makeDirectory: self = .makeDirectory(inRoot: s[0], mode: low(a[0]))
        case .makeDevice:
            self = .makeDevice(
                inRoot: s[0], mode: low(a[0]), major: low(a[1]), minor: low(a[2]), uid: low(a[3]),
                gid: low(a[4]))
        case .symlink: self = .symlink(target: s[0], inRoot: s[1])
        case .mask: self = .mask(inRoot: s[0])
        case .readOnlyPath: self = .readOnlyPath(inRoot: s[0])
        case .readOnlyRoot: self = .readOnlyRoot
        case .setRootPropagation: self = .setRootPropagation(flags: a[0])
        case .propagation: self = .propagation(inRoot: s[0], flags: a[0])
        case .pivotRoot: self = .pivotRoot
        case .changeRoot: self = .changeRoot
        case .hook:
            guard a[1] <= UInt64(s.count - 3), let kind = Hook.Kind(rawValue: a[3]) else { return nil }
            let split = 3 + Int(a[1])
            self = .hook(
                Hook(
                    kind, index: Int(UInt16(truncatingIfNeeded: a[2])), path: s[0],
                    arguments: Array(s[3..<split]), environment: Array(s[split...]),
                    milliseconds: a[0],
                    state: (s[1], s[2])))
        case .hostname: self = .hostname(s[0])
        case .domainname: self = .domainname(s[0])
        case .sysctl: self = .sysctl(key: s[0], value: s[1])
        case .loopbackUp: self = .loopbackUp
        case .resourceLimit: self = .resourceLimit(resource: Int32(low: a[0]), soft: a[1], hard: a[2])
        case .oomScoreAdjustment: self = .oomScoreAdjustment(Int32(low: a[0]))
        case .umask: self = .umask(low(a[0]))
        case .terminal: self = .terminal(signed(a[0]), rows: UInt16(low: a[1]), columns: UInt16(low: a[2]))
        case .standardStreams: self = .standardStreams(signed(a[0]), signed(a[1]), signed(a[2]))
        case .workingDirectory: self = .workingDirectory(s[0], create: a[0] != 0)
        case .parentDeathSignal: self = .parentDeathSignal(Int32(low: a[0]))
        case .personality: self = .personality(a[0])
        case .scheduler:
            self = .scheduler(
                policy: low(a[0]), flags: a[1], nice: Int32(low: a[2]), priority: low(a[3]), runtime: a[4],
                deadline: a[5], period: a[6])
        case .ioPriority: self = .ioPriority(low(a[0]))
        case .dumpable: self = .dumpable(a[0] != 0)
        case .boundingSet: self = .boundingSet(a[0])
        case .identity:
            self = .identity(
                uid: low(a[0]), gid: low(a[1]), groups: a[2...].map(low), keepsGroups: !s.isEmpty)
        case .capabilities:
            self = .capabilities(effective: a[0], permitted: a[1], inheritable: a[2], ambient: a[3])
        case .noNewPrivileges: self = .noNewPrivileges
        case .seccomp: self = .seccomp(signed(a[0]), flags: a[1])
        case .execLabel: self = .execLabel(module: s[0], label: s[1])
        case .closeDescriptors: self = .closeDescriptors(keep: low(a[0]))
        case .findProgram: self = .findProgram(name: s[0], searchPath: s[1])
        case .awaitStart: self = .awaitStart(signed(a[0]))
        case .reap: self = .reap
        case .memoryPolicy: self = .memoryPolicy(mode: a[0], nodes: Array(a[1...]))
        case .cpuAffinity: self = .cpuAffinity(a)
        case .ownStreams: self = .ownStreams(uid: low(a[0]))
        case .execute:
            guard a[0] >= 1, a[0] <= UInt64(s.count) else { return nil }
            self = .execute(arguments: Array(s[..<Int(a[0])]), environment: Array(s[Int(a[0])...]))
        }
    }
}

private func signed(_ number: UInt64) -> Int { Int(truncatingIfNeeded: Int64(bitPattern: number)) }
private func low(_ number: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: number) }

extension FixedWidthInteger {
    fileprivate init(low number: UInt64) { self.init(truncatingIfNeeded: number) }
}

extension StepCode {
    /// What such a step must hold at least.
    fileprivate var least: (arguments: Int, strings: Int) {
        switch self {
        case .newSession, .readOnlyRoot, .pivotRoot, .loopbackUp, .noNewPrivileges, .reap, .becomeRoot,
            .changeRoot:
            (0, 0)
        case .awaitParent, .joinCgroup, .unshare, .setPropagation, .setRootPropagation, .oomScoreAdjustment,
            .umask, .parentDeathSignal, .personality, .ioPriority, .dumpable, .boundingSet, .closeDescriptors,
            .awaitStart, .memoryPolicy, .cpuAffinity, .ownStreams, .enterRoot:
            (1, 0)
        case .joinNamespace, .identity, .seccomp: (2, 0)
        case .resourceLimit, .terminal, .standardStreams: (3, 0)
        case .capabilities: (4, 0)
        case .scheduler: (7, 0)
        case .hook: (4, 3)
        case .newKeyring, .timeOffsets, .mask, .readOnlyPath, .hostname, .domainname: (0, 1)
        case .symlink, .sysctl, .execLabel, .findProgram: (0, 2)
        case .makeDirectory, .workingDirectory, .execute, .propagation: (1, 1)
        case .bindHost: (1, 2)
        case .attachRoot, .remount: (2, 1)
        case .bind: (2, 2)
        case .mount: (2, 3)
        case .attachMount: (3, 1)
        case .makeDevice: (5, 1)
        }
    }
}

/// Key and value in turn.
private func options(_ strings: [String], from first: Int) -> [MountOption] {
    stride(from: first, to: strings.count, by: 2).map { MountOption(strings[$0], strings[$0 + 1]) }
}
