extension LaunchPlan {
    /// The step in a person's words, with what its slots are: `mount volume db at /var/lib/db`.
    package func words(for step: Step) -> String {
        switch step {
        case .attachMount(let slot, let path, _, _): "mount \(source(of: slot)) at \(path)"
        case .joinCgroup(let slot):
            slots.indices.contains(slot) && slots[slot] == .cgroupFile
                ? "join the cgroup \(cgroupPath(of: slot))" : "join the cgroup"
        default: step.description
        }
    }

    private func source(of slot: Step.Slot) -> String {
        guard slots.indices.contains(slot), case .bind(let path, _, _, _, _) = slots[slot] else {
            return "slot \(slot)"
        }
        // …/volumes/<name>/data is how the store keeps a named volume.
        let parts = path.split(separator: "/")
        if parts.count >= 3, parts[parts.count - 3] == "volumes" { return "volume \(parts[parts.count - 2])" }
        return path
    }

    private func cgroupPath(of slot: Step.Slot) -> String {
        for case .openForChild(let path, slot) in cgroup { return path }
        return ""
    }
}
