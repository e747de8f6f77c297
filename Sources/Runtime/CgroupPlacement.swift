package import Failure
internal import LaunchPlan
package import OCI

/// Which cgroups a container gets on this host, and the steps that make and fill them.
///
/// - cgroup v2 with systemd: a scope `ctr-<id>.scope` that systemd delegates, in it `monitor/` and `container/`.
/// - cgroup v2 without: `<mount>/ctr/<id>`.
/// - hybrid: `<mount>/ctr/<id>` in cgroup2 (for kill, freeze, the device filter, CPU time), and in the v1 hierarchies
///   of memory, pids and whatever has a limit. The others stay alone: each one costs its mkdir, a write of 0.03 ms and
///   an rmdir, and tells nothing that cgroup2 does not.
/// - v1 alone: freezer, devices and cpuacct too, which have no cgroup2 in their place.
package struct CgroupPlacement: Sendable, Equatable {
    package let layout: CgroupLayout
    package let location: CgroupLocation
    /// The v1 hierarchies that the container is in.
    package let joined: [CgroupLayout.Hierarchy]
    private let scope: Scope?

    /// systemd makes it and what is above it.
    package var isOfSystemd: Bool { scope != nil }

    private struct Scope: Sendable, Equatable {
        let name: String
        let slice: String
        let base: String
        let containerID: String
        let bus: String
    }

    /// A user's own systemd, which has a part of the tree.
    package struct UserManager: Sendable, Equatable {
        /// Below cgroup2's mount: `/user.slice/user-1000.slice/user@1000.service`.
        package let cgroup: String
        /// Its bus's socket.
        package let bus: String

        package init(cgroup: String, bus: String) {
            self.cgroup = cgroup
            self.bus = bus
        }
    }

    /// - Parameters:
    ///   - parent: `--cgroup-parent`: a slice with systemd, else a path below the hierarchies' top.
    ///   - cgroupsPath: linux.cgroupsPath of an OCI caller; it replaces parent and id.
    /// - Throws: `unsupported` where a limit needs a controller that the host lacks.
    package init(
        layout: CgroupLayout, containerID: String, parent: String? = nil, cgroupsPath: String? = nil,
        resources: RuntimeSpec.Resources? = nil, manager: UserManager? = nil
    ) throws(Failure) {
        self.layout = layout
        let resources = resources ?? RuntimeSpec.Resources()
        let needed = try CgroupLimits.neededControllers(resources, layout: layout)

        let asked = cgroupsPath.flatMap { $0.isEmpty ? nil : $0 }
        var path: String?
        if let asked { path = try CgroupPlacement.clean(asked, "linux.cgroupsPath") }
        var scope: Scope?
        if layout.systemd, let mount = layout.unifiedMount, path == nil || asked?.contains(":") == true {
            let standard = manager == nil ? "system.slice" : "app.slice"
            var slice = parent ?? standard
            var name = "ctr-\(containerID).scope"
            if let parts = asked?.split(separator: ":", omittingEmptySubsequences: false), parts.count == 3 {
                // slice:prefix:name, as the systemd drivers of other runtimes write it.
                slice = parts[0].isEmpty ? standard : String(parts[0])
                name = parts[1].isEmpty ? "\(parts[2]).scope" : "\(parts[1])-\(parts[2]).scope"
            }
            guard slice.hasSuffix(".slice"), !slice.contains("/") else {
                throw Failure(
                    .invalidArgument,
                    "cgroup parent \(slice): with systemd it is the name of a slice, xxx.slice")
            }
            let top = mount + (manager?.cgroup ?? "")
            let base = "\(top)/\(CgroupPlacement.slicePath(slice))/\(name)"
            scope = Scope(
                name: name, slice: slice, base: base, containerID: containerID, bus: manager?.bus ?? "")
            path = nil
        }
        let below: String
        if let path {
            below = path
        } else {
            // A slice's name means something to systemd alone, and was used up above.
            let top = scope != nil ? "ctr" : parent ?? "ctr"
            below = try CgroupPlacement.clean("\(top)/\(containerID)", "--cgroup-parent")
        }
        self.scope = scope

        joined = layout.hierarchies.filter { hierarchy in
            hierarchy.controllers.contains { needed.contains($0) }
        }
        let unified = scope.map { "\($0.base)/container" } ?? layout.unifiedMount.map { "\($0)/\(below)" }
        let legacy = joined.map {
            CgroupLocation.Legacy(controllers: $0.controllers, directory: "\($0.mount)/\(below)")
        }
        location = CgroupLocation(
            unified: unified, legacy: legacy,
            unifiedControllers: needed.filter {
                layout.hierarchy(of: $0) == nil && layout.unifiedControllers.contains($0)
            },
            toRemove: (unified.map { [$0] } ?? []) + legacy.map(\.directory))
    }

    /// Without empty, `.` and `..` parts, which would lead elsewhere.
    private static func clean(_ path: String, _ what: String) throws(Failure) -> String {
        let parts = path.split(separator: "/")
        guard !parts.isEmpty, !parts.contains(".."), !parts.contains(".") else {
            throw Failure(.invalidArgument, "\(what) \(path): it must not be empty or hold \".\" or \"..\"")
        }
        return parts.joined(separator: "/")
    }

    /// systemd's directory of a slice: `a-b.slice` lies in `a.slice` (systemd.slice(5)).
    static func slicePath(_ slice: String) -> String {
        let parts = slice.dropLast(".slice".count).split(separator: "-")
        guard !parts.isEmpty else { return "" }
        return parts.indices.map { parts[...$0].joined(separator: "-") + ".slice" }.joined(separator: "/")
    }

    /// Refuses by name what no cgroup of this host can hold, before anything is made.
    package func check(_ resources: RuntimeSpec.Resources?) throws(Failure) {
        guard let resources else { return }
        _ = try CgroupLimits.unified(resources, controllers: location.unifiedControllers)
        for place in location.legacy {
            _ = try CgroupLimits.legacy(resources, controllers: place.controllers)
        }
    }

    /// Adds what makes the cgroups, sets the limits and puts the process there.
    func place(
        resources: RuntimeSpec.Resources, rules: [RuntimeSpec.DeviceRule], into draft: inout Planner.Draft
    ) throws(Failure) {
        if let scope {
            draft.cgroup.append(
                .startScope(
                    name: scope.name, slice: scope.slice, description: "ctr container \(scope.containerID)",
                    bus: scope.bus))
            // The scope itself must hold no process before its controllers can be handed down.
            draft.cgroup.append(.makeDirectory("\(scope.base)/monitor"))
            draft.cgroup.append(.moveSelf(path: "\(scope.base)/monitor/cgroup.procs"))
        }
        if let unified = location.unified {
            enableControllers(above: unified, into: &draft)
            draft.cgroup.append(.makeDirectory(unified))
            for write in try CgroupLimits.unified(
                resources, controllers: location.unifiedControllers, hasCostWeight: layout.hasCostWeight)
            {
                draft.cgroup.append(
                    .write(path: "\(unified)/\(write.file)", value: write.value, optional: write.optional))
            }
        }
        for place in location.legacy {
            draft.cgroup.append(.makeDirectory(place.directory))
            try limit(place, resources: resources, rules: rules, into: &draft)
        }
        if let unified = location.unified {
            // On hybrid hosts too: it enforces there, and v1's device list is left alone.
            draft.cgroup.append(
                .attachDeviceFilter(path: unified, program: try DeviceProgram.bytes(rules)))
        }
        location.join(into: &draft)
        if resources.pids?.limit == 0,
            let directory = location.legacy.first(where: { $0.controllers.contains("pids") })?.directory
                ?? location.unified
        {
            // A process could not even be born there: it closes the door behind itself.
            let slot = draft.slot(.cgroupFile)
            draft.cgroup.append(.openForChild(path: "\(directory)/pids.max", slot: slot))
            draft.steps.append(.joinCgroup(slot))
        }
    }

    /// A controller is there for a directory only if every directory above hands it down.
    private func enableControllers(above directory: String, into draft: inout Planner.Draft) {
        guard !location.unifiedControllers.isEmpty, let mount = layout.unifiedMount else { return }
        let value = location.unifiedControllers.map { "+\($0)" }.joined(separator: " ")
        var directories: [String] = []
        if let scope {
            // systemd has done it down to the delegated scope.
            directories = [scope.base]
        } else {
            var path = mount
            directories = [mount]
            for part in directory.dropFirst(mount.count).split(separator: "/").dropLast() {
                path += "/\(part)"
                directories.append(path)
            }
        }
        for path in directories {
            if path != mount, scope == nil { draft.cgroup.append(.makeDirectory(path)) }
            draft.cgroup.append(.write(path: "\(path)/cgroup.subtree_control", value: value, optional: false))
        }
    }

    private func limit(
        _ place: CgroupLocation.Legacy, resources: RuntimeSpec.Resources, rules: [RuntimeSpec.DeviceRule],
        into draft: inout Planner.Draft
    ) throws(Failure) {
        func write(_ directory: String, _ file: String, _ value: String, optional: Bool = false) {
            draft.cgroup.append(.write(path: "\(directory)/\(file)", value: value, optional: optional))
        }
        draft.cgroup += layout.fillingLegacy(place, resources)
        if place.controllers.contains("devices"), layout.unifiedMount == nil {
            for rule in rules {
                let type = rule.type ?? "a"
                let numbers = [rule.major, rule.minor].map { number in
                    number.map { $0 < 0 ? "*" : String($0) } ?? "*"
                }
                let access = rule.access.flatMap { $0.isEmpty ? nil : $0 } ?? "rwm"
                let isAll = type == "a" || type.isEmpty
                write(
                    place.directory, rule.allow ? "devices.allow" : "devices.deny",
                    isAll ? "a" : "\(type) \(numbers.joined(separator: ":")) \(access)")
            }
        }
        for setting in try CgroupLimits.legacy(resources, controllers: place.controllers) {
            write(place.directory, setting.file, setting.value, optional: setting.optional)
        }
    }
}

extension CgroupLayout {
    /// What a new directory of v1 needs before a process can enter and a limit can be set: CPUs and memory nodes, and
    /// real-time runtime above it.
    func fillingLegacy(_ place: CgroupLocation.Legacy, _ resources: RuntimeSpec.Resources) -> [CgroupStep] {
        guard let mount = hierarchies.first(where: { $0.controllers == place.controllers })?.mount else {
            return []
        }
        var steps: [CgroupStep] = []
        var path = mount
        for part in place.directory.dropFirst(mount.count).split(separator: "/") {
            path += "/\(part)"
            let isOwn = path == place.directory
            if place.controllers.contains("cpuset") {
                // A new v1 cpuset is empty, and so is the one above it.
                let cpus = isOwn ? resources.cpu?.cpus ?? cpusetCPUs : cpusetCPUs
                let nodes = isOwn ? resources.cpu?.mems ?? cpusetNodes : cpusetNodes
                steps.append(.write(path: "\(path)/cpuset.cpus", value: cpus, optional: false))
                steps.append(.write(path: "\(path)/cpuset.mems", value: nodes, optional: false))
            }
            if place.controllers.contains("cpu"), !isOwn, resources.cpu?.realtimeRuntime ?? 0 > 0 {
                // A directory hands down what it has, and a new one has none: this one gets what the kernel gives all
                // real-time processes together, unless somebody else has a part of it.
                steps.append(.write(path: "\(path)/cpu.rt_runtime_us", value: "950000", optional: false))
            }
        }
        return steps
    }
}
