extension Step: CustomStringConvertible {
    /// What it does, in a person's words and without secrets: `mount proc at /proc`. Starts a failure's line.
    package var description: String {
        switch self {
        case .awaitParent: "wait for the parent"
        case .joinCgroup: "join the cgroup"
        case .joinNamespace(_, let flags): "join \(Step.names(ofNamespaces: flags))"
        case .unshare(let flags): "make \(Step.names(ofNamespaces: flags))"
        case .newSession: "start a session"
        case .newKeyring: "make a session keyring"
        case .setPropagation: "separate the mounts from the host's"
        case .attachRoot: "attach the root file system"
        case .mount(let type, _, let path, _, _, _): "mount \(type) at \(path)"
        case .attachMount(_, let path, _, _): "mount at \(path)"
        case .bind(let source, let path, _, _): "bind \(source) at \(path)"
        case .bindHost(let directory, let path, _): "bind \(directory) at \(path)"
        case .makeDirectory(let path, _): "make the directory \(path)"
        case .makeDevice(let path, _, _, _, _, _): "make the device \(path)"
        case .symlink(let target, let path): "link \(path) to \(target)"
        case .mask(let path): "hide \(path)"
        case .readOnlyPath(let path): "make \(path) read-only"
        case .readOnlyRoot: "make the root read-only"
        case .setRootPropagation: "set the root's mount propagation"
        case .pivotRoot, .changeRoot, .enterRoot: "change to the new root"
        case .remount(let path, _, _): "remount \(path)"
        case .propagation(let path, _): "set the propagation of \(path)"
        case .becomeRoot: "become the user namespace's root"
        case .timeOffsets: "set the time namespace's offsets"
        case .hook(let hook): "hooks.\(hook.kind).\(hook.index): run the hook \(hook.path)"
        default: processDescription
        }
    }

    private var processDescription: String {
        switch self {
        case .hostname(let name): "set the hostname \(name)"
        case .domainname(let name): "set the domain name \(name)"
        case .sysctl(let key, let value):
            "set sysctl \(String(key.map { $0 == "/" ? "." : $0 })) to \(value)"
        case .loopbackUp: "bring the loopback device up"
        case .resourceLimit(let resource, _, _): "set resource limit \(resource)"
        case .oomScoreAdjustment(let score): "set the OOM score adjustment \(score)"
        case .umask: "set the umask"
        case .terminal: "make the terminal"
        case .standardStreams: "set stdin, stdout and stderr"
        case .workingDirectory(let path, _): "change to the working directory \(path)"
        case .parentDeathSignal: "set the parent death signal"
        case .personality: "set the personality"
        case .scheduler: "set the scheduling policy"
        case .ioPriority: "set the I/O priority"
        case .memoryPolicy: "set the memory policy"
        case .cpuAffinity: "set the CPU affinity"
        case .ownStreams(let uid): "give stdin, stdout and stderr to user \(uid)"
        case .dumpable: "set dumpable"
        case .boundingSet: "limit the capabilities' bounding set"
        case .identity(let uid, let gid, _, _): "become user \(uid):\(gid)"
        case .capabilities: "set the capabilities"
        case .noNewPrivileges: "set no-new-privileges"
        case .seccomp: "load the seccomp filter"
        case .execLabel(let module, let label): "set the \(module) label \(label)"
        case .closeDescriptors: "close descriptors"
        case .findProgram(let name, _): "exec \(name)"
        case .awaitStart: "wait for start"
        case .reap: "start the init process"
        case .execute(let arguments, _): "exec \(arguments.first ?? "")"
        default: "step"
        }
    }

    private static let namespaceNames: [(flag: UInt64, name: String)] = [
        (0x0002_0000, "mount"), (0x0200_0000, "cgroup"), (0x0400_0000, "uts"), (0x0800_0000, "ipc"),
        (0x1000_0000, "user"), (0x2000_0000, "pid"), (0x4000_0000, "network"), (0x80, "time"),
    ]

    /// `the mount and pid namespaces`
    package static func names(ofNamespaces flags: UInt64) -> String {
        let names = namespaceNames.filter { flags & $0.flag != 0 }.map(\.name)
        guard let last = names.last else { return "a namespace" }
        if names.count == 1 { return "the \(last) namespace" }
        return "the \(names.dropLast().joined(separator: ", ")) and \(last) namespaces"
    }
}
