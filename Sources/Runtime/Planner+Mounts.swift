internal import Failure
internal import LaunchPlan
internal import OCI

extension Planner {
    static func mount(
        _ mounts: [RuntimeSpec.Mount], spec: RuntimeSpec, namespaces: Namespaces, context: Context,
        into draft: inout Draft
    ) throws(Failure) {
        var places: Set<String> = ["/"]
        for (index, mount) in mounts.enumerated() {
            var mount = mount
            // The container's devices are made there first, and its terminal.
            if place(of: mount) == "/dev", makesDevices(mounts) {
                mount.options?.removeAll { $0 == "ro" || $0 == "rro" }
            }
            do throws(Failure) {
                if isRemount(mount), places.contains(place(of: mount)) {
                    remount(mount, into: &draft)
                    continue
                }
                try add(mount, spec: spec, namespaces: namespaces, context: context, into: &draft)
                places.insert(place(of: mount))
            } catch {
                throw error.within("config.json: mounts.\(index): \(mount.destination)")
            }
        }
    }

    /// Below the root, without parts that say nothing.
    private static func place(of mount: RuntimeSpec.Mount) -> String {
        var names: [Substring] = []
        for name in mount.destination.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        return "/" + names.joined(separator: "/")
    }

    /// Of what an earlier entry has mounted there, as mount(8) has it. Elsewhere there is nothing to change, and the entry is
    /// one like others.
    private static func remount(_ mount: RuntimeSpec.Mount, into draft: inout Draft) {
        let options = MountOptions(mount.options ?? [])
        draft.steps.append(
            .remount(
                inRoot: place(of: mount), change: options.attributes.change,
                options: options.isBind ? [] : options.data))
    }

    private static func isRemount(_ mount: RuntimeSpec.Mount) -> Bool {
        mount.options?.contains("remount") == true
    }

    /// Whether /dev is to be read-only in the end.
    static func isReadOnlyDev(_ mounts: [RuntimeSpec.Mount]) -> Bool {
        mounts.last { place(of: $0) == "/dev" }.map {
            MountOptions($0.options ?? []).allAttributes & MountOptions.Attribute.readOnly != 0
        } ?? false
    }

    private static func add(
        _ mount: RuntimeSpec.Mount, spec: RuntimeSpec, namespaces: Namespaces, context: Context,
        into draft: inout Draft
    ) throws(Failure) {
        let options = MountOptions(mount.options ?? [])
        // Relative destinations are below the root, as config.md has them since 1.2.
        let target = mount.destination.hasPrefix("/") ? mount.destination : "/" + mount.destination
        guard target.split(separator: "/").contains(where: { $0 != "." && $0 != ".." }) else {
            throw Failure(.unsupported, "a mount over the root itself is not supported")
        }
        let type = mount.type ?? ""
        let isBind = options.isBind || type == "bind"
        try refuseOverProc(target, isProc: isBind ? mount.source == "/proc" : type == "proc")
        if isBind {
            try bind(
                mount, at: target, options, recursive: options.recursiveBind, spec, context, into: &draft)
            return
        }
        if options.mapsIDs || mount.uidMappings?.isEmpty == false {
            throw Failure(.invalidArgument, "id mappings are for bind mounts")
        }
        if type == "cgroup" || type == "cgroup2" {
            mountCgroups(at: target, options, namespaces: namespaces, context, into: &draft)
        } else {
            guard !type.isEmpty else { throw Failure(.invalidArgument, "type is missing") }
            guard !options.copyUp || type == "tmpfs" else {
                throw Failure(.invalidArgument, "tmpcopyup is for tmpfs")
            }
            draft.steps.append(
                .mount(
                    type: type, source: mount.source ?? type, inRoot: target,
                    attributes: options.allAttributes,
                    options: options.data + label(spec, type), copyUp: options.copyUp))
        }
        // A new file system is in no peer group: private is what it is.
        let propagation = options.propagation & ~MountOptions.Propagation.recursive
        if ![0, MountOptions.Propagation.private, MountOptions.Propagation.slave].contains(propagation) {
            draft.steps.append(.propagation(inRoot: target, flags: options.propagation))
        }
    }

    /// linux.mountLabel, for file systems that have no labels of their own on a disk.
    private static func label(_ spec: RuntimeSpec, _ type: String) -> [MountOption] {
        guard let label = spec.linux?.mountLabel, !label.isEmpty,
            !["proc", "sysfs", "cgroup", "cgroup2", "mqueue"].contains(type)
        else { return [] }
        return [MountOption("context", label)]
    }

    private static func bind(
        _ mount: RuntimeSpec.Mount, at target: String, _ options: MountOptions, recursive: Bool,
        _ spec: RuntimeSpec, _ context: Context, into draft: inout Draft
    ) throws(Failure) {
        guard let source = mount.source, source.hasPrefix("/") else {
            throw Failure(.invalidArgument, "the source of a bind must be an absolute path")
        }
        if options.copyUp { throw Failure(.invalidArgument, "tmpcopyup is for tmpfs") }
        let isDirectory = try context.isDirectory(source)
        let slot = draft.slot(
            .bind(
                path: source, recursive: recursive, attributes: options.attributes.change,
                attributesBelow: options.recursive.change, ids: try ids(of: mount, options, spec)))
        // Without a word about it a bind is private: what the host mounts below it later stays on the host.
        let propagation =
            options.propagation != 0
            ? options.propagation : MountOptions.Propagation.private | MountOptions.Propagation.recursive
        draft.steps.append(
            .attachMount(slot, inRoot: target, isDirectory: isDirectory, propagation: propagation))
    }

    /// An id-mapped mount's ids: its own, else the container's (config.md, "Mounts").
    private static func ids(
        of mount: RuntimeSpec.Mount, _ options: MountOptions, _ spec: RuntimeSpec
    ) throws(Failure) -> IDMaps? {
        if let uids = mount.uidMappings, !uids.isEmpty {
            var maps = idMaps(uids, mount.gidMappings)
            maps.recursive = options.mapsIDsBelow
            return maps
        }
        guard options.mapsIDs else { return nil }
        guard let namespace = spec.linux?.namespaces?.first(where: { $0.type == .user }) else {
            throw Failure(
                .invalidArgument,
                "idmap needs uidMappings and gidMappings, or a user namespace of the container")
        }
        var maps = idMaps(spec.linux?.uidMappings, spec.linux?.gidMappings)
        if let path = namespace.path, !path.isEmpty { maps.namespace = path }
        maps.recursive = options.mapsIDsBelow
        return maps
    }

    /// cgroup2 alone is mounted as it is. Beside v1 the usual tmpfs holds a directory for each hierarchy that the
    /// container has a place in: through the cgroup namespace it sees its own part of that, and nothing of the others.
    /// Without such a namespace its own part is bound.
    private static func mountCgroups(
        at target: String, _ options: MountOptions, namespaces: Namespaces, _ context: Context,
        into draft: inout Draft
    ) {
        let layout = context.placement?.layout ?? context.host.cgroups
        let attributes = options.allAttributes
        guard layout.mode != .unified else {
            if let own = context.placement?.location.unified, !namespaces.cgroup, namespaces.isInUserNamespace
            {
                draft.steps.append(.bindHost(directory: own, inRoot: target, attributes: attributes))
            } else {
                draft.steps.append(
                    .mount(
                        type: "cgroup2", source: "cgroup", inRoot: target, attributes: attributes, options: []
                    ))
            }
            return
        }
        draft.steps.append(
            .mount(
                type: "tmpfs", source: "tmpfs", inRoot: target,
                attributes: attributes & ~MountOptions.Attribute.readOnly,
                options: [MountOption("mode", "755")]))
        let joined = context.placement?.joined ?? []
        let names = joined.map { $0.controllers.joined(separator: ",") }
        let hasUnified = layout.unifiedMount != nil && context.placement != nil
        // The places first: the tmpfs is read-only before anything is mounted in it.
        for name in names + (hasUnified ? ["unified"] : []) {
            draft.steps.append(.makeDirectory(inRoot: "\(target)/\(name)", mode: 0o755))
        }
        for (hierarchy, name) in zip(joined, names) where hierarchy.controllers.count > 1 {
            for controller in hierarchy.controllers {
                draft.steps.append(.symlink(target: name, inRoot: "\(target)/\(controller)"))
            }
        }
        if attributes & MountOptions.Attribute.readOnly != 0 {
            draft.steps.append(.readOnlyPath(inRoot: target))
        }
        func mount(_ type: String, _ name: String, own: String?, _ data: [MountOption]) {
            if !namespaces.cgroup, let own {
                draft.steps.append(
                    .bindHost(directory: own, inRoot: "\(target)/\(name)", attributes: attributes))
            } else {
                draft.steps.append(
                    .mount(
                        type: type, source: "cgroup", inRoot: "\(target)/\(name)", attributes: attributes,
                        options: data))
            }
        }
        let places = context.placement?.location.legacy ?? []
        for ((hierarchy, name), place) in zip(zip(joined, names), places) {
            mount("cgroup", name, own: place.directory, hierarchy.controllers.map { MountOption($0) })
        }
        if hasUnified { mount("cgroup2", "unified", own: context.placement?.location.unified, []) }
    }

    /// A user's own /dev is left as it is.
    static func makesDevices(_ mounts: [RuntimeSpec.Mount]) -> Bool {
        !mounts.contains { mount in
            mount.destination == "/dev" && !isRemount(mount)
                && (mount.type == "bind" || (mount.options ?? []).contains { $0 == "bind" || $0 == "rbind" })
        }
    }

    /// The default nodes, unless the spec makes its own at the same path, the spec's, then the usual links.
    /// - Parameter inDev: false for a /dev of the user's own, which is left as it is.
    static func makeDevices(_ devices: [RuntimeSpec.Device], inDev: Bool, into draft: inout Draft) {
        let devices = inDev ? devices : devices.filter { !$0.path.hasPrefix("/dev/") }
        let own = Set(devices.map(\.path))
        for node in inDev ? ContainerDefaults.deviceNodes : [] where !own.contains(node.path) {
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
        for link in inDev ? ContainerDefaults.deviceLinks : [] {
            draft.steps.append(.symlink(target: link.target, inRoot: link.path))
        }
    }
}
