internal import Failure
package import LaunchPlan
package import OCI

extension Planner {
    /// Which namespaces are made, which are joined, and by whom.
    ///
    /// Without a user namespace the child joins by itself. With one everything else is joined before it, by the process
    /// that prepares: afterwards the rights of the host are gone.
    struct Namespaces {
        /// For clone3.
        var flags: UInt64 = 0
        /// A new cgroup namespace, which is unshared later.
        var cgroup = false
        var joinedPID: Step.Slot?
        var preparation: [Step] = []
        /// The child's.
        var joins: [Step] = []
        /// A new or a joined one.
        var isInUserNamespace = false
        /// The mount namespace is the runtime's: the container's mounts are there, below its root's place.
        var sharesMounts = false

        init(_ linux: RuntimeSpec.Linux, into draft: inout Draft) throws(Failure) {
            let namespaces = linux.namespaces ?? []
            isInUserNamespace = namespaces.contains { $0.type == .user }
            for namespace in namespaces where namespace.type != .user {
                add(namespace, into: &draft)
            }
            for namespace in namespaces where namespace.type == .user {
                if let path = namespace.path, !path.isEmpty {
                    let slot = draft.slot(.file(path: path))
                    preparation.append(.joinNamespace(slot, flags: CloneFlag.user))
                    preparation.append(.becomeRoot)
                } else {
                    flags |= CloneFlag.user
                }
            }
            if let offsets = linux.timeOffsets, flags & CloneFlag.time != 0 {
                // Before anybody is in it: clone3 would already be too late.
                flags &= ~CloneFlag.time
                preparation.append(.unshare(flags: CloneFlag.time))
                preparation.append(.timeOffsets(Namespaces.text(offsets)))
            }
            sharesMounts = !namespaces.contains { $0.type == .mount }
            if sharesMounts, isInUserNamespace {
                throw Failure(
                    .unsupported,
                    "config.json: linux.namespaces: in a user namespace a container needs a mount namespace too",
                    hint: "its root could not mount anything in the runtime's")
            }
        }

        private mutating func add(_ namespace: RuntimeSpec.Namespace, into draft: inout Draft) {
            let flag = CloneFlag.of(namespace.type)
            guard let path = namespace.path, !path.isEmpty else {
                if namespace.type == .cgroup { cgroup = true } else { flags |= flag }
                return
            }
            let slot = draft.slot(.file(path: path))
            if isInUserNamespace {
                preparation.append(.joinNamespace(slot, flags: flag))
            } else if namespace.type == .pid {
                // Holds for children alone: who clones joins it.
                joinedPID = slot
            } else {
                joins.append(.joinNamespace(slot, flags: flag))
            }
        }

        /// time_namespaces(7)
        private static func text(_ offsets: RuntimeSpec.TimeOffsets) -> String {
            let clocks = [("monotonic", offsets.monotonic), ("boottime", offsets.boottime)]
            return clocks.compactMap { name, offset in
                offset.map { "\(name) \($0.secs ?? 0) \($0.nanosecs ?? 0)\n" }
            }.joined()
        }
    }

    /// What the launcher does for a child in a user namespace, where the child may not.
    static func parentSteps(
        _ process: RuntimeSpec.Process, _ linux: RuntimeSpec.Linux, _ namespaces: Namespaces
    ) throws(Failure) -> [ParentStep] {
        guard namespaces.isInUserNamespace else { return [] }
        var steps: [ParentStep] = []
        if namespaces.flags & CloneFlag.user != 0 {
            steps.append(.idMaps(idMaps(linux.uidMappings, linux.gidMappings)))
        }
        if let score = process.oomScoreAdj { steps.append(.oomScore(Int32(clamping: score))) }
        for limit in try resourceLimits(process) {
            steps.append(.resourceLimit(resource: limit.number, soft: limit.soft, hard: limit.hard))
        }
        return steps
    }

    /// Whose the container's cgroup is to be: the host's id of the process's user, where the container has a cgroup namespace of
    /// its own and can write to what is mounted of it (config-linux.md, "Cgroup ownership"). nil: it stays root's.
    static func cgroupOwner(_ spec: RuntimeSpec, _ namespaces: Namespaces) -> UInt32? {
        let isWritable = (spec.mounts ?? []).contains { mount in
            mount.source == "cgroup" && mount.destination == "/sys/fs/cgroup"
                && mount.options?.contains("ro") != true
        }
        guard namespaces.cgroup, isWritable else { return nil }
        let user = spec.process?.user?.uid ?? 0
        guard namespaces.isInUserNamespace else { return user == 0 ? nil : user }
        return (spec.linux?.uidMappings ?? []).first { mapping in
            user >= mapping.containerID && user - mapping.containerID < mapping.size
        }.map { $0.hostID + (user - $0.containerID) }
    }

    package static func idMaps(_ uids: [RuntimeSpec.IDMapping]?, _ gids: [RuntimeSpec.IDMapping]?) -> IDMaps {
        func text(_ mappings: [RuntimeSpec.IDMapping]?) -> String {
            (mappings ?? []).map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
        }
        return IDMaps(uids: text(uids), gids: text(gids))
    }

    static func resourceLimits(_ process: RuntimeSpec.Process) throws(Failure) -> [(
        number: Int32, soft: UInt64, hard: UInt64
    )] {
        var limits: [(number: Int32, soft: UInt64, hard: UInt64)] = []
        for (index, limit) in (process.rlimits ?? []).enumerated() {
            guard let number = ResourceLimit.number(of: limit.type) else {
                throw Failure(
                    .invalidArgument, "config.json: process.rlimits.\(index).type: \(limit.type) is not known"
                )
            }
            limits.append((number, limit.soft, limit.hard))
        }
        return limits
    }
}
