package import Failure
package import LaunchPlan
internal import LinuxSystem
package import OCI

/// What changes the limits of cgroups that processes live in: for `ctr update` and `ctr oci update`.
///
/// The order of the steps keeps each of them legal: v1's memory limit is never above that of memory and swap, a burst
/// never above its quota, an idle group gets no weight. What resources do not name stays as it is; a `pids.limit` below 0
/// takes the limit away. Device rules are not changed: they are a program of the start.
///
/// A container may lack a controller that a new limit needs: on v2 it is handed down from the directories above, on v1
/// the container gets a directory in the hierarchy, and its processes are moved there (`joined`).
package struct CgroupChange: Sendable, Equatable {
    /// `makeDirectory` and `write` alone.
    package let steps: [CgroupStep]
    /// Of v1, in which the container's processes are not yet: they go there after the steps. Whoever keeps the
    /// container's location keeps these too, for joining and for removal.
    package let joined: [CgroupLocation.Legacy]
    private let location: CgroupLocation

    /// - Parameters:
    ///   - location: of the running container: `CgroupPlacement.location`, or made from its state.
    ///   - now: what a file holds now, by its path (`CgroupChange.content(of:)`).
    /// - Throws: `unsupported`, with the field's name, where the host cannot hold a limit.
    package init(
        _ resources: RuntimeSpec.Resources, at location: CgroupLocation, layout: CgroupLayout,
        now: @escaping (String) -> String?
    ) throws(Failure) {
        let needed = try CgroupLimits.neededControllers(resources, layout: layout, isLive: true)
        var steps: [CgroupStep] = []
        var joined: [CgroupLocation.Legacy] = []
        func add(_ settings: [CgroupLimits.Setting], in directory: String) {
            steps += settings.map {
                .write(path: "\(directory)/\($0.file)", value: $0.value, optional: $0.optional)
            }
        }
        if let unified = location.unified {
            let own = needed.filter {
                layout.hierarchy(of: $0) == nil && layout.unifiedControllers.contains($0)
            }
            let missing = own.filter { !location.unifiedControllers.contains($0) }
            steps += CgroupChange.enabling(missing, above: unified, layout, now)
            add(
                try CgroupLimits.unified(
                    resources, controllers: own, hasCostWeight: layout.hasCostWeight,
                    now: { now("\(unified)/\($0)") }), in: unified)
        }
        for place in location.legacy where place.controllers.contains(where: needed.contains) {
            add(
                try CgroupLimits.legacy(
                    resources, controllers: place.controllers, now: { now("\(place.directory)/\($0)") }),
                in: place.directory)
        }
        for hierarchy in layout.hierarchies where hierarchy.controllers.contains(where: needed.contains) {
            if location.legacy.contains(where: { $0.controllers == hierarchy.controllers }) { continue }
            let place = CgroupLocation.Legacy(
                controllers: hierarchy.controllers,
                directory: "\(hierarchy.mount)/\(try CgroupChange.pathBelowMount(location, layout))")
            steps.append(.makeDirectory(place.directory))
            steps += layout.fillingLegacy(place, resources)
            add(try CgroupLimits.legacy(resources, controllers: place.controllers), in: place.directory)
            joined.append(place)
        }
        self.steps = steps
        self.joined = joined
        self.location = location
    }

    /// From the top down: a directory hands down only what it has.
    private static func enabling(
        _ controllers: [String], above directory: String, _ layout: CgroupLayout, _ now: (String) -> String?
    ) -> [CgroupStep] {
        guard !controllers.isEmpty, let mount = layout.unifiedMount, directory.hasPrefix("\(mount)/") else {
            return []
        }
        var steps: [CgroupStep] = []
        var path = mount
        for part in directory.dropFirst(mount.count).split(separator: "/") {
            let file = "\(path)/cgroup.subtree_control"
            let present = (now(file) ?? "").split { $0 == " " || $0 == "\n" }
            let lacking = controllers.filter { !present.contains($0[...]) }
            if !lacking.isEmpty {
                let value = lacking.map { "+\($0)" }.joined(separator: " ")
                steps.append(.write(path: file, value: value, optional: false))
            }
            path += "/\(part)"
        }
        return steps
    }

    /// `ctr/ID`, as the container's other directories have it.
    private static func pathBelowMount(_ location: CgroupLocation, _ layout: CgroupLayout) throws(Failure)
        -> String
    {
        for place in location.legacy {
            if let hierarchy = layout.hierarchies.first(where: { $0.controllers == place.controllers }) {
                return String(place.directory.dropFirst(hierarchy.mount.count + 1))
            }
        }
        if let unified = location.unified, let mount = layout.unifiedMount, unified.hasPrefix("\(mount)/") {
            return String(unified.dropFirst(mount.count + 1))
        }
        throw Failure(.internal, "the container's cgroups are not known")
    }
}

extension CgroupChange {
    /// A file of a cgroup, without the line's end; nil where it cannot be read.
    package static func content(of path: String) -> String? {
        guard let bytes = (try? AtomicFile.read(path, limit: 1 << 16)) ?? nil else { return nil }
        return String(
            decoding: bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...], as: UTF8.self)
    }

    /// Does it. A step that the kernel refuses ends it: those before hold.
    package func apply() throws(Failure) {
        for step in steps {
            switch step {
            case .makeDirectory(let path):
                do throws(SystemError) {
                    try Directory.ensurePath(path, mode: 0o755)
                } catch {
                    throw error.failure("make the cgroup \(path)")
                }
            case .write(let path, let value, let optional):
                do throws(SystemError) {
                    try FileDescriptor.open(path, [.writeOnly]).write(value)
                } catch {
                    if optional, CgroupChange.meansAbsent(error) { continue }
                    throw error.failure(
                        "write \(value) to \(path)", hint: CgroupChange.hint(error, path, value))
                }
            default: continue
            }
        }
        for place in joined { try move(to: place.directory) }
    }

    private static func meansAbsent(_ error: SystemError) -> Bool {
        [Errno.noEntry, Errno.notSupported, Errno.invalid].contains(error.errno)
    }

    private static func hint(_ error: SystemError, _ path: String, _ value: String) -> String? {
        switch error.errno {
        case Errno.noEntry:
            "this host's kernel has no \(path.split(separator: "/").last.map(String.init) ?? path)"
        case Errno.busy: "more than that is in use"
        case Errno.invalid, Errno.outOfRange: "the kernel does not take \(value)"
        default: nil
        }
    }

    /// All processes, with those that are made meanwhile.
    private func move(to directory: String) throws(Failure) {
        var moved: Set<Int32> = []
        while true {
            let left = location.processes.filter { !moved.contains($0) }
            if left.isEmpty { return }
            for pid in left {
                moved.insert(pid)
                do throws(SystemError) {
                    try FileDescriptor.open("\(directory)/cgroup.procs", [.writeOnly]).write("\(pid)")
                } catch {
                    // It has ended.
                    if error.errno == Errno.noProcess { continue }
                    throw error.failure("move process \(pid) to \(directory)")
                }
            }
        }
    }
}
