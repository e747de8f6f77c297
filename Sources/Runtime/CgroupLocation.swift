internal import LaunchPlan
internal import LinuxSystem

/// Where a container's cgroups are on the host: kept with its state, for stop, pause, exec and stats.
package struct CgroupLocation: Sendable, Hashable {
    /// One v1 hierarchy's directory for the container.
    package struct Legacy: Sendable, Hashable {
        package var controllers: [String]
        package var directory: String

        package init(controllers: [String], directory: String) {
            self.controllers = controllers
            self.directory = directory
        }
    }

    /// The cgroup2 directory that the container's processes are in; nil on a host with v1 alone.
    package var unified: String?
    package var legacy: [Legacy]
    /// cgroup2 has the memory (pids) controller for it.
    package var unifiedControllers: [String]
    /// For rmdir when the container is gone, deepest first.
    package var toRemove: [String]

    /// Of a container that runs, from its state: enough to join it.
    ///
    /// - Parameters:
    ///   - directory: the cgroup2 one; one of v1 where there is no cgroup2; empty for none.
    ///   - tasks: v1 `tasks` files.
    package init(running directory: String, tasks: [String]) {
        legacy = tasks.map { Legacy(controllers: [], directory: String($0.dropLast("/tasks".count))) }
        unified = directory.isEmpty || legacy.contains { $0.directory == directory } ? nil : directory
        unifiedControllers = []
        toRemove = []
    }

    /// Of a container that runs, with all that can be read of it and changed in it.
    ///
    /// - Parameter now: what a file holds, by its path.
    package init(
        running directory: String, tasks: [String], layout: CgroupLayout, now: (String) -> String?
    ) {
        self.init(running: directory, tasks: tasks)
        legacy = legacy.map { place in
            let hierarchy = layout.hierarchies.first { place.directory.hasPrefix("\($0.mount)/") }
            return Legacy(controllers: hierarchy?.controllers ?? [], directory: place.directory)
        }
        if let unified {
            unifiedControllers = (now("\(unified)/cgroup.controllers") ?? "").split {
                $0 == " " || $0 == "\n"
            }
            .map(String.init)
        }
    }

    package init(unified: String?, legacy: [Legacy], unifiedControllers: [String], toRemove: [String]) {
        self.unified = unified
        self.legacy = legacy
        self.unifiedControllers = unifiedControllers
        self.toRemove = toRemove
    }

    func directory(of controller: String) -> String? {
        legacy.first { $0.controllers.contains(controller) }?.directory
    }

    private func unifiedFile(_ name: String, if controller: String) -> String? {
        guard unifiedControllers.contains(controller) else { return nil }
        return unified.map { "\($0)/\(name)" }
    }

    /// Writing `1` kills every process in it (cgroup v2, kernel 5.14).
    package var killFile: String? { unified.map { "\($0)/cgroup.kill" } }

    /// `populated 0` says that nothing of the container lives any more.
    package var eventsFile: String? { unified.map { "\($0)/cgroup.events" } }

    /// The pids inside, one a line.
    package var processesFile: String? {
        unified.map { "\($0)/cgroup.procs" } ?? legacy.first.map { "\($0.directory)/cgroup.procs" }
    }

    /// The host's pids of all that is inside, sub-cgroups of it too.
    package var processes: [Int32] { CgroupLocation.processes(below: cgroupDirectory) }

    private static func processes(below directory: String) -> [Int32] {
        guard !directory.isEmpty,
            let bytes = (try? AtomicFile.read("\(directory)/cgroup.procs", limit: 16 << 20)) ?? nil
        else {
            return []
        }
        var found = bytes.split(separator: UInt8(ascii: "\n")).compactMap {
            Int32(String(decoding: $0, as: UTF8.self))
        }
        // Two links are its own: without sub-cgroups there is nothing to list.
        guard let status = try? FileDescriptor.status(directory), status.links > 2,
            let listing = try? Directory.open(directory), let names = try? Directory.names(in: listing)
        else {
            return found
        }
        for name in names {
            let below = "\(directory)/\(name)"
            if (try? FileDescriptor.status(below))?.kind == .directory { found += processes(below: below) }
        }
        return found
    }

    /// The file and what is written to freeze and to thaw.
    package var freezer: (file: String, freeze: String, thaw: String)? {
        if let unified { return ("\(unified)/cgroup.freeze", "1", "0") }
        return directory(of: "freezer").map { ("\($0)/freezer.state", "FROZEN", "THAWED") }
    }

    /// memory.events (v2) or memory.oom_control (v1): both count `oom_kill`.
    package var oomFile: String? {
        directory(of: "memory").map { "\($0)/memory.oom_control" }
            ?? unifiedFile("memory.events", if: "memory")
    }

    /// Bytes in use.
    package var memoryUsageFile: String? {
        directory(of: "memory").map { "\($0)/memory.usage_in_bytes" }
            ?? unifiedFile("memory.current", if: "memory")
    }

    /// `usage_usec N` in cpu.stat: cgroup2 counts it without a controller. On v1 alone nanoseconds as one number.
    package var cpuUsageFile: String? {
        unified.map { "\($0)/cpu.stat" } ?? directory(of: "cpuacct").map { "\($0)/cpuacct.usage" }
    }

    package var pidsFile: String? {
        directory(of: "pids").map { "\($0)/pids.current" } ?? unifiedFile("pids.current", if: "pids")
    }

    /// Bytes that block devices have read and written for it, as the io controller counts; nil where it is in none.
    package var blockCounters: (read: UInt64, written: UInt64)? {
        var sum: (read: UInt64, written: UInt64) = (0, 0)
        if let blkio = directory(of: "blkio") {
            // `8:0 Read 4096`
            guard
                let text = CgroupChange.content(of: "\(blkio)/blkio.throttle.io_service_bytes_recursive")
                    ?? CgroupChange.content(of: "\(blkio)/blkio.throttle.io_service_bytes")
            else {
                return nil
            }
            for line in text.split(separator: "\n") {
                let words = line.split(separator: " ")
                guard words.count == 3, let bytes = UInt64(words[2]) else { continue }
                if words[1] == "Read" { sum.read += bytes }
                if words[1] == "Write" { sum.written += bytes }
            }
            return sum
        }
        // `8:0 rbytes=4096 wbytes=0 …`
        guard let file = unifiedFile("io.stat", if: "io"), let text = CgroupChange.content(of: file) else {
            return nil
        }
        for word in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
            if word.hasPrefix("rbytes=") { sum.read += UInt64(word.dropFirst(7)) ?? 0 }
            if word.hasPrefix("wbytes=") { sum.written += UInt64(word.dropFirst(7)) ?? 0 }
        }
        return sum
    }

    /// The directory that the monitor watches and kills through.
    package var cgroupDirectory: String { unified ?? legacy.first?.directory ?? "" }

    /// Where cgroups for parts of the container (an exec, the health check) are made: in cgroup2, where no controller is
    /// handed down to them and processes may stay beside them; on v1 alone in one hierarchy that costs nothing.
    package var childDirectory: String {
        if let unified { return unified }
        func has(_ controller: Substring) -> String? {
            legacy.first { $0.directory.split(separator: "/").contains(controller) }?.directory
        }
        return has("freezer") ?? has("pids") ?? legacy.first?.directory ?? ""
    }

    /// Puts another process of the container there: born in the cgroup2 one, moved by itself into those of v1.
    ///
    /// - Parameter child: a cgroup of its own below `childDirectory`.
    func join(into draft: inout Planner.Draft, child: String? = nil) {
        let parent = childDirectory
        let own = child.map { "\(parent)/\($0)" }
        if let own, !parent.isEmpty { draft.cgroup.append(.makeDirectory(own)) }
        for place in legacy {
            let slot = draft.slot(.cgroupFile)
            let directory = place.directory == parent ? own ?? parent : place.directory
            draft.cgroup.append(.openForChild(path: "\(directory)/tasks", slot: slot))
            draft.steps.append(.joinCgroup(slot))
        }
        if let unified { draft.cgroup.append(.cloneInto(path: own ?? unified)) }
    }
}
