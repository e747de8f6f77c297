internal import EventJournal
internal import LaunchPlan
internal import LinuxSystem

/// In the run directory while a container runs in which the kernel has killed for want of memory.
package enum OOMMark {
    package static let fileName = "oom"
}

/// What only the monitor sees: that the container runs, that it has ended, that the kernel killed for want of memory.
extension ResidentMonitor {
    /// Writes that something happened to the container.
    func tell(_ action: String, _ extra: [Event.Attribute] = []) {
        EventJournal(containerDirectory: plan.containerDirectory).append(
            Event(
                time: Timestamp.now().nanosecondsSinceEpoch, kind: .container, action: action,
                id: plan.containerID, attributes: eventAttributes + extra))
    }

    /// docker's order: the volumes first.
    func tellStart() {
        tellVolumes("mount") { _ in true }
        tell("start")
    }

    private func tellVolumes(_ action: String, _ isKept: (Event.Attribute) -> Bool) {
        guard !plan.volumes.isEmpty else { return }
        let now = Timestamp.now().nanosecondsSinceEpoch
        EventJournal(containerDirectory: plan.containerDirectory).append(
            plan.volumes.map {
                Event(
                    time: now, kind: .volume, action: action, id: $0.name,
                    attributes: Event.attributes($0.attributes[...]).filter(isKept))
            })
    }

    func tellEnd(_ code: Int32) {
        let seconds = (Timestamp.now().nanosecondsSinceEpoch - startedAt) / 1_000_000_000
        tell("die", [.init("execDuration", String(max(0, seconds))), .init("exitCode", String(code))])
        tellVolumes("unmount") { $0.key == "container" || $0.key == "driver" }
    }

    /// As the plan says, unless the container was renamed while it ran.
    private var eventAttributes: [Event.Attribute] {
        var attributes = Event.attributes(plan.eventAttributes[...])
        guard let status = try? FileDescriptor.status("record", in: containerDirectory.raw),
            status.modified.nanosecondsSinceEpoch > startedAt,
            let bytes = (try? AtomicFile.read("record", in: containerDirectory.raw)) ?? nil,
            let line = bytes.split(separator: UInt8(ascii: "\n")).first(where: {
                $0.starts(with: "name ".utf8)
            }),
            let place = attributes.firstIndex(where: { $0.key == "name" })
        else {
            return attributes
        }
        attributes[place].value = String(decoding: line.dropFirst(5), as: UTF8.self)
        return attributes
    }

    // MARK: - memory

    /// memory.events of v2 and memory.oom_control of v1 both have a line `oom_kill N`. A cgroup that is used again
    /// counts on.
    func countOfKills() -> Int {
        guard !plan.oomFile.isEmpty, let bytes = (try? AtomicFile.read(plan.oomFile, limit: 4096)) ?? nil
        else {
            return 0
        }
        for line in bytes.split(separator: UInt8(ascii: "\n")) where line.starts(with: "oom_kill ".utf8) {
            return Int(String(decoding: line.dropFirst("oom_kill ".utf8.count), as: UTF8.self)) ?? 0
        }
        return 0
    }

    /// Before anything of the run can ask for memory.
    func beginCountingKills() {
        killsSeen = countOfKills()
        wasOutOfMemory = false
        try? Directory.removeFile(OOMMark.fileName, in: runDirectory.raw)
    }

    /// Once the container has been up for a moment: one that ends before is looked at then.
    func watchMemory() {
        guard oomWatch == nil, !plan.oomFile.isEmpty, let watch = try? OOMWatch(plan.oomFile) else { return }
        try? queue.add(watch.raw, .read, token: Token.memory)
        oomWatch = consume watch
        noticeKills()
    }

    func takeMemoryEvent() {
        oomWatch?.drain()
        noticeKills()
        guard plan.oomFile.hasSuffix("/memory.oom_control") else { return }
        // v1 tells before it kills.
        for _ in 0..<10 where !wasOutOfMemory {
            Process.sleep(microseconds: 1000)
            noticeKills()
        }
    }

    /// Any process of the container counts, as in docker.
    func noticeKills() {
        let kills = countOfKills()
        guard kills > killsSeen else { return }
        killsSeen = kills
        wasOutOfMemory = true
        _ = try? FileDescriptor.open(
            OOMMark.fileName, in: runDirectory.raw, [.writeOnly, .create])
        tell("oom")
    }
}
