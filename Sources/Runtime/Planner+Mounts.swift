internal import Failure
internal import LaunchPlan
internal import OCI

extension Planner {
    static func mount(
        _ mounts: [RuntimeSpec.Mount], spec: RuntimeSpec, namespaces: Namespaces, context: Context,
        into draft: inout Draft
    ) throws(Failure) {
        for (index, mount) in mounts.enumerated() {
            do throws(Failure) {
                try add(mount, context: context, into: &draft)
            } catch {
                throw error.within("config.json: mounts.\(index): \(mount.destination)")
            }
        }
    }

    private static func add(_ mount: RuntimeSpec.Mount, context: Context, into draft: inout Draft)
        throws(Failure)
    {
        let options = try MountOptions(mount.options ?? [])
        // Relative destinations are below the root, as config.md has them since 1.2.
        let target = mount.destination.hasPrefix("/") ? mount.destination : "/" + mount.destination
        guard target.split(separator: "/").contains(where: { $0 != "." && $0 != ".." }) else {
            throw Failure(.unsupported, "a mount over the root itself is not supported")
        }
        let type = mount.type ?? ""
        if options.isBind || type == "bind" {
            try bind(mount, at: target, options, recursive: options.recursiveBind, context, into: &draft)
        } else if type == "cgroup" || type == "cgroup2" {
            let placement = try context.ownPlacement()
            mountCgroups(at: target, options, placement.layout, placement, into: &draft)
        } else {
            guard !type.isEmpty else { throw Failure(.invalidArgument, "type is missing") }
            guard !options.recursiveAttributes else {
                throw Failure(.invalidArgument, "recursive attributes are for bind mounts")
            }
            let isTemporary = type == "tmpfs"
            guard !options.copyUp || isTemporary else {
                throw Failure(.invalidArgument, "tmpcopyup is for tmpfs")
            }
            draft.steps.append(
                .mount(
                    type: type, source: mount.source ?? type, inRoot: target, attributes: options.set,
                    options: options.data, copyUp: options.copyUp))
            if options.propagation != 0 {
                draft.steps.append(contentsOf: try propagationSteps(options, isTemporary))
            }
        }
    }

    /// A new file system is in no peer group: private is what it is. Anything else would need a step that ctr lacks.
    private static func propagationSteps(_ options: MountOptions, _ isTemporary: Bool) throws(Failure)
        -> [Step]
    {
        let flag = options.propagation & ~MountOptions.Propagation.recursive
        if flag == MountOptions.Propagation.private || flag == MountOptions.Propagation.slave { return [] }
        throw Failure(.unsupported, "propagation other than private and slave is for bind mounts")
    }

    private static func bind(
        _ mount: RuntimeSpec.Mount, at target: String, _ options: MountOptions, recursive: Bool,
        _ context: Context, into draft: inout Draft
    ) throws(Failure) {
        guard let source = mount.source, source.hasPrefix("/") else {
            throw Failure(.invalidArgument, "the source of a bind must be an absolute path")
        }
        if let unknown = options.data.first {
            throw Failure(.invalidArgument, "\(unknown.key) is no option of a bind mount")
        }
        if options.copyUp { throw Failure(.invalidArgument, "tmpcopyup is for tmpfs") }
        let isDirectory = try context.isDirectory(source)
        let slot = draft.slot(
            .bind(
                path: source, recursive: recursive, set: options.set, clear: options.clear,
                recursiveAttributes: options.recursiveAttributes))
        // Without a word about it a bind is private: what the host mounts below it later stays on the host.
        let propagation =
            options.propagation != 0
            ? options.propagation : MountOptions.Propagation.private | MountOptions.Propagation.recursive
        draft.steps.append(
            .attachMount(slot, inRoot: target, isDirectory: isDirectory, propagation: propagation))
    }

    /// cgroup2 alone is mounted as it is. Beside v1 the usual tmpfs holds a directory for each hierarchy that the
    /// container has a place in: through the cgroup namespace it sees its own part of that, and nothing of the others.
    private static func mountCgroups(
        at target: String, _ options: MountOptions, _ layout: CgroupLayout, _ placement: CgroupPlacement,
        into draft: inout Draft
    ) {
        let readOnly = options.set & MountOptions.Attribute.readOnly != 0
        guard layout.mode != .unified else {
            draft.steps.append(
                .mount(
                    type: "cgroup2", source: "cgroup", inRoot: target, attributes: options.set, options: []))
            return
        }
        draft.steps.append(
            .mount(
                type: "tmpfs", source: "tmpfs", inRoot: target,
                attributes: options.set & ~MountOptions.Attribute.readOnly,
                options: [MountOption("mode", "755")]))
        let names = placement.joined.map { $0.controllers.joined(separator: ",") }
        // The places first: the tmpfs is read-only before anything is mounted in it.
        for name in names + (layout.unifiedMount == nil ? [] : ["unified"]) {
            draft.steps.append(.makeDirectory(inRoot: "\(target)/\(name)", mode: 0o755))
        }
        for (hierarchy, name) in zip(placement.joined, names) where hierarchy.controllers.count > 1 {
            for controller in hierarchy.controllers {
                draft.steps.append(.symlink(target: name, inRoot: "\(target)/\(controller)"))
            }
        }
        if readOnly { draft.steps.append(.readOnlyPath(inRoot: target)) }
        for (hierarchy, name) in zip(placement.joined, names) {
            draft.steps.append(
                .mount(
                    type: "cgroup", source: "cgroup", inRoot: "\(target)/\(name)", attributes: options.set,
                    options: hierarchy.controllers.map { MountOption($0) }))
        }
        if layout.unifiedMount != nil {
            draft.steps.append(
                .mount(
                    type: "cgroup2", source: "cgroup", inRoot: "\(target)/unified", attributes: options.set,
                    options: []))
        }
    }

    /// A user's own /dev is left as it is.
    static func makesDevices(_ mounts: [RuntimeSpec.Mount]) -> Bool {
        !mounts.contains { mount in
            mount.destination == "/dev"
                && (mount.type == "bind" || (mount.options ?? []).contains { $0 == "bind" || $0 == "rbind" })
        }
    }

    /// The default nodes, unless the spec makes its own at the same path, the spec's, then the usual links.
    static func makeDevices(_ devices: [RuntimeSpec.Device], into draft: inout Draft) {
        let own = Set(devices.map(\.path))
        for node in ContainerDefaults.deviceNodes where !own.contains(node.path) {
            draft.steps.append(
                .makeDevice(
                    inRoot: node.path, mode: 0o020666, major: node.major, minor: node.minor, uid: 0, gid: 0))
        }
        let links = Set(ContainerDefaults.deviceLinks.map(\.path))
        for device in devices where !links.contains(device.path) && device.path != "/dev/console" {
            let type: UInt32 =
                switch device.type {
                case .block: 0o060000
                case .fifo: 0o010000
                case .character, .unbufferedCharacter: 0o020000
                }
            draft.steps.append(
                .makeDevice(
                    inRoot: device.path, mode: type | (device.fileMode ?? 0o666) & 0o7777,
                    major: UInt32(clamping: device.major ?? 0), minor: UInt32(clamping: device.minor ?? 0),
                    uid: device.uid ?? 0, gid: device.gid ?? 0))
        }
        for link in ContainerDefaults.deviceLinks {
            draft.steps.append(.symlink(target: link.target, inRoot: link.path))
        }
    }
}
