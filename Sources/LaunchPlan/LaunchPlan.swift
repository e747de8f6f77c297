/// Everything that a launch does, as a flat list made by a pure function (Runtime) and acted by others: the monitor
/// does `cgroup` and the clone, its child does `steps`. Printable, comparable, without a descriptor in it: what
/// must be opened is named in `slots`, and opened by `ctr` before the plan is sent.
package struct LaunchPlan: Sendable, Equatable {
    /// Raised with every change of the encoding; a monitor refuses another version.
    package static let version: UInt32 = 9

    /// CLONE_NEW* flags of clone3; joined namespaces are steps.
    package var namespaces: UInt64
    /// For exec: the slot of the container's pidfd. The launcher joins its pid namespace before it clones.
    package var joinPIDNamespace: Step.Slot?
    package var cgroup: [CgroupStep]
    /// What a process between the launcher and the child does, before it clones the child as its own sibling: joins what
    /// must be joined from outside (a user namespace, and others with the rights of before), makes a time namespace.
    package var preparation: [Step] = []
    /// What the launcher does for the child while it waits at stage 0.
    package var parent: [ParentStep] = []
    package var steps: [Step]
    package var slots: [SlotSource]
    /// The capabilities, user and profile in a person's words are not here: the plan is what is done, no more.

    package init(
        namespaces: UInt64, joinPIDNamespace: Step.Slot? = nil, cgroup: [CgroupStep], steps: [Step],
        slots: [SlotSource]
    ) {
        self.namespaces = namespaces
        self.joinPIDNamespace = joinPIDNamespace
        self.cgroup = cgroup
        self.steps = steps
        self.slots = slots
    }
}

/// MOUNT_ATTR_* to set and to clear (mount_setattr(2)).
package struct AttributeChange: Sendable, Equatable {
    package var set: UInt64
    package var clear: UInt64

    package init(set: UInt64 = 0, clear: UInt64 = 0) {
        self.set = set
        self.clear = clear
    }

    package var isEmpty: Bool { self.set == 0 && clear == 0 }
}

/// Ids of a user namespace, as /proc/PID/uid_map has them: `CONTAINER HOST SIZE`, a line each.
package struct IDMaps: Sendable, Equatable {
    package var uids: String
    package var gids: String
    /// A namespace that is there already has them, at this path.
    package var namespace: String?
    /// Of an id-mapped mount: the mounts below too.
    package var recursive: Bool

    package init(uids: String, gids: String, namespace: String? = nil, recursive: Bool = false) {
        self.uids = uids
        self.gids = gids
        self.namespace = namespace
        self.recursive = recursive
    }
}

/// What only who has the rights of the host can do for a child in a new user namespace.
package enum ParentStep: Sendable, Equatable {
    case idMaps(IDMaps)
    case oomScore(Int32)
    case resourceLimit(resource: Int32, soft: UInt64, hard: UInt64)
}

/// What the monitor does for the cgroup before it clones, in order. Paths are host paths below /sys/fs/cgroup.
package enum CgroupStep: Sendable, Equatable {
    /// A transient systemd scope with Delegate=yes that holds the monitor (org.freedesktop.systemd1 StartTransientUnit).
    /// `bus`: the socket of a user's own systemd; empty for the machine's.
    case startScope(name: String, slice: String, description: String, bus: String = "")
    /// mkdir, parents too; one that is there is fine.
    case makeDirectory(String)
    /// Writes a value; `optional`: ENOENT, EOPNOTSUPP and EINVAL-for-absence are no errors (a knob the kernel lacks).
    case write(path: String, value: String, optional: Bool)
    /// The monitor itself moves there (writes `0`).
    case moveSelf(path: String)
    /// Loads the BPF device filter and attaches it to the cgroup2 directory (BPF_CGROUP_DEVICE, multi).
    case attachDeviceFilter(path: String, program: [UInt8])
    /// Delegates a cgroup2 directory to this user (cgroups(7), "delegation by changing owner"): the directory, and of its files
    /// those that the kernel names for it.
    case delegate(path: String, uid: UInt32)
    /// The child is born in this cgroup2 directory (CLONE_INTO_CGROUP).
    case cloneInto(path: String)
    /// Opens a file for writing and puts it in the slot, for `Step.joinCgroup`.
    case openForChild(path: String, slot: Step.Slot)
}

/// What a slot of the plan is, for who opens it.
package enum SlotSource: Sendable, Equatable {
    /// The container's root: a detached mount that the Engine made.
    case root
    /// open_tree(OPEN_TREE_CLONE) of a host path, then mount_setattr on it, and on it with what is mounted below.
    case bind(
        path: String, recursive: Bool, attributes: AttributeChange,
        attributesBelow: AttributeChange = AttributeChange(), ids: IDMaps? = nil)
    /// A file opened read-only (seccomp filter, namespace file).
    case file(path: String)
    /// The pidfd of a running container's init (exec).
    case containerPIDFD
    /// Made by the monitor itself: the ends of stdio, the pty's peer, a v1 tasks file, the start FIFO.
    case standardInput, standardOutput, standardError, terminal, cgroupFile, startFIFO
    /// No step's: a socket on a published port of the host, which the monitor keeps so that nobody else takes the port.
    case publishedPort
}
