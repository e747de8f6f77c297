/// One step of the child between clone3 and execve, in plan order. The C executor (CContainerInit) runs exactly
/// these; their order and the reason for each place are in docs/init-order.md.
///
/// Paths named `inRoot` are resolved with the container's root as `/` (openat2 RESOLVE_IN_ROOT, no magic links),
/// never as host paths. A `Slot` is an index into the descriptors that travel with the plan.
package enum Step: Sendable, Equatable {
    package typealias Slot = Int

    // ---- where the process is
    /// Tells the parent "here" and waits for its word: what `LaunchPlan.parent` lists is done at the first stage, hooks are
    /// run at the second, the container is attached to its networks at the third.
    case awaitParent(stage: UInt32 = 0)
    /// Becomes the root of a user namespace that was just made or joined.
    case becomeRoot
    /// Before the clone: what the clocks of the new time namespace are ahead, as /proc/self/timens_offsets has it.
    case timeOffsets(String)
    /// Writes `0` to a v1 `tasks` (or cgroup2 `cgroup.procs`) file that the parent opened.
    case joinCgroup(Slot)
    /// setns(2) of a pidfd (several CLONE_NEW* flags at once) or of a namespace file.
    case joinNamespace(Slot, flags: UInt64)
    /// unshare(2); CLONE_NEWCGROUP comes after every cgroup is joined.
    case unshare(flags: UInt64)
    /// setsid(2).
    case newSession
    /// A session keyring of its own (keyctl JOIN_SESSION_KEYRING); a kernel without keys is no error.
    case newKeyring(name: String)

    // ---- the mount namespace
    /// MS_REC | propagation on `/`: MS_SLAVE unless asked otherwise.
    case setPropagation(flags: UInt64)
    /// Attaches the root's detached mount and remembers it as the container's root for the steps below: over `/`, or at a
    /// directory of the host where hooks look for it. `sharesMounts`: the mount namespace is the runtime's own, whose `/` is
    /// left as it is.
    case attachRoot(Slot, at: String = "/", sharesMounts: Bool = false)
    /// A new file system (fsopen, fsmount) at a path in the root; missing parents and the target are made.
    /// `attributes` are mount_setattr's. `options` are fsconfig strings; an empty value is a flag.
    case mount(
        type: String, source: String, inRoot: String, attributes: UInt64, options: [MountOption],
        copyUp: Bool = false)
    /// Changes what is mounted at a path in the root already: attributes of the mount, parameters of its file system.
    case remount(inRoot: String, change: AttributeChange, options: [MountOption] = [])
    /// Attaches a detached mount of the parent's at a path in the root; the target is made as `isDirectory` says.
    /// `propagation`: MS_ flag or 0.
    case attachMount(Slot, inRoot: String, isDirectory: Bool, propagation: UInt64 = 0)
    /// A bind inside the container's own tree: /dev/console from a pty, a read-only path made again.
    case bind(source: String, inRoot: String, attributes: UInt64, recursive: Bool)
    /// A bind of a directory of the host that is made with the container: its cgroup.
    case bindHost(directory: String, inRoot: String, attributes: UInt64)
    case makeDirectory(inRoot: String, mode: UInt32)
    /// mknod; `mode` has the type. Where mknod is forbidden (user namespaces) the host's node is bound from `slot`.
    case makeDevice(inRoot: String, mode: UInt32, major: UInt32, minor: UInt32, uid: UInt32, gid: UInt32)
    case symlink(target: String, inRoot: String)
    /// Hides a file behind a verified /dev/null (character device 1:3) or a directory behind an empty read-only
    /// tmpfs. A path that is not there is skipped.
    case mask(inRoot: String)
    /// Makes a path, with what is mounted below it, read-only. A path that is not there is skipped.
    case readOnlyPath(inRoot: String)
    /// The root itself becomes read-only (its mount, not the file system).
    case readOnlyRoot
    /// The propagation (MS_ flag) of what is mounted at a path in the root.
    case propagation(inRoot: String, flags: UInt64)
    /// The root's propagation (MS_ flag) after everything is in its place.
    case setRootPropagation(flags: UInt64)
    /// pivot_root(".", "."), the old root detached.
    case pivotRoot
    /// chroot(2) in its place: where the host's root is the kernel's first ramfs (`--no-pivot`), over which the container's is
    /// moved; and where the mount namespace is the runtime's own.
    case changeRoot
    /// chroot(2) to a directory: of a container whose root is not that of its mount namespace.
    case enterRoot(Slot)
    /// A program that OCI wants run here; `state` is its standard input, with the pid between the two parts.
    case hook(Hook)

    // ---- what the process is
    case hostname(String)
    case domainname(String)
    /// `key` as below /proc/sys with slashes; written through a procfs whose magic number was checked.
    case sysctl(key: String, value: String)
    /// lo up in a new network namespace.
    case loopbackUp
    /// setrlimit(2); RLIM_INFINITY is UInt64.max.
    case resourceLimit(resource: Int32, soft: UInt64, hard: UInt64)
    case oomScoreAdjustment(Int32)
    case umask(UInt32)
    /// Makes the slot's pseudo-terminal the controlling one and /dev/console, and stdio; resizes it.
    case terminal(Slot, rows: UInt16, columns: UInt16)
    /// stdin, stdout, stderr.
    case standardStreams(Slot, Slot, Slot)
    /// chdir, then getcwd must be inside the root (CVE-2024-21626); `create` makes it first.
    case workingDirectory(String, create: Bool)
    case parentDeathSignal(Int32)
    case personality(UInt64)
    case scheduler(
        policy: UInt32, flags: UInt64, nice: Int32, priority: UInt32, runtime: UInt64, deadline: UInt64,
        period: UInt64)
    case ioPriority(UInt32)
    /// set_mempolicy(2): the mode with its flags, and the mask of nodes in words of 64 bits.
    case memoryPolicy(mode: UInt64, nodes: [UInt64])
    /// sched_setaffinity(2): a mask in words of 64 bits.
    case cpuAffinity([UInt64])
    case dumpable(Bool)

    // ---- what it may do
    /// Drops every capability of the bounding set that the mask lacks (bit n for capability n).
    case boundingSet(UInt64)
    /// setgroups, setresgid, setresuid, keeping capabilities for the next step. `keepsGroups`: where the user namespace
    /// denies setgroups, an empty list is as good as done.
    case identity(uid: UInt32, gid: UInt32, groups: [UInt32], keepsGroups: Bool = false)
    /// Gives stdin, stdout and stderr to the user, so that /dev/stdout can be opened.
    case ownStreams(uid: UInt32)
    case capabilities(effective: UInt64, permitted: UInt64, inheritable: UInt64, ambient: UInt64)
    case noNewPrivileges
    /// A compiled filter: an array of struct sock_filter in the slot's file. `flags` are seccomp(2)'s; with
    /// SECCOMP_FILTER_FLAG_NEW_LISTENER the listener goes to the parent.
    case seccomp(Slot, flags: UInt64)
    /// An LSM label for the next exec: `apparmor` or `selinux` attribute text.
    case execLabel(module: String, label: String)
    /// Everything above 2 except what `keep` counts from 3 on (--preserve-fds) is closed at exec.
    case closeDescriptors(keep: UInt32)

    // ---- the end
    /// Looks the program up now, so that "not found" is told at create: argv[0] in `searchPath` when it has no slash.
    case findProgram(name: String, searchPath: String)
    /// Opens the FIFO `exec.fifo` in the slot's directory for writing and writes one byte: blocks until `start`.
    case awaitStart(Slot)
    /// From here on this process is a small init: it forks, the child goes on, this one reaps and forwards signals.
    case reap
    /// execve of what `findProgram` found; must be last.
    case execute(arguments: [String], environment: [String])
}

package struct Hook: Sendable, Equatable {
    /// The first two run in the container's namespaces, as steps; the others in the monitor's, beside them.
    package enum Kind: UInt64, Sendable {
        case createContainer, startContainer, prestart, createRuntime, poststart, poststop
    }

    package var kind: Kind
    /// Which of its kind; the first is 0.
    package var index: Int
    package var path: String
    /// As for execv: the first is the program's name.
    package var arguments: [String]
    package var environment: [String]
    /// 0: as long as it takes.
    package var milliseconds: UInt64
    /// The container's state, before and after the pid, which only the process itself knows.
    package var state: (String, String)

    package init(
        _ kind: Kind, index: Int, path: String, arguments: [String], environment: [String],
        milliseconds: UInt64, state: (String, String)
    ) {
        self.kind = kind
        self.index = index
        self.path = path
        self.arguments = arguments
        self.environment = environment
        self.milliseconds = milliseconds
        self.state = state
    }

    package static func == (one: Hook, other: Hook) -> Bool {
        one.kind == other.kind && one.index == other.index && one.path == other.path
            && one.arguments == other.arguments && one.environment == other.environment
            && one.milliseconds == other.milliseconds && one.state == other.state
    }
}

package struct MountOption: Sendable, Equatable {
    package var key: String
    /// Empty for a flag.
    package var value: String

    package init(_ key: String, _ value: String = "") {
        self.key = key
        self.value = value
    }
}
