package import Failure

extension CDISpec.Edits {
    package mutating func append(_ other: CDISpec.Edits) {
        environment += other.environment
        deviceNodes += other.deviceNodes
        mounts += other.mounts
        hooks += other.hooks
        additionalGIDs += other.additionalGIDs
        intelRdt = other.intelRdt ?? intelRdt
        netDevices += other.netDevices
    }
}

extension RuntimeSpec {
    /// Makes the edits. A later one replaces what is there by its name or its place: a variable, a node, a mount.
    /// - Parameter nodes: of the edits, with the host's part.
    package mutating func apply(_ edits: CDISpec.Edits, nodes: [CDISpec.HostNode]) {
        process?.apply(edits)
        var linux = linux ?? Linux()
        for node in nodes {
            var device = node.device
            // Whom nothing else names is who will use it.
            if device.uid == nil, let uid = process?.user?.uid, uid > 0 { device.uid = uid }
            if device.gid == nil, let gid = process?.user?.gid, gid > 0 { device.gid = gid }
            if node.isMade {
                linux.devices = (linux.devices ?? []).filter { $0.path != device.path } + [device]
            }
            linux.allow(device, node.permissions)
        }
        for device in edits.netDevices {
            linux.netDevices = linux.netDevices ?? [:]
            linux.netDevices?[device.hostName] = NetDevice(name: device.name)
        }
        linux.intelRdt = edits.intelRdt ?? linux.intelRdt
        self.linux = linux
        let added = edits.mounts.enumerated().sorted {
            ($0.element.depth, $0.offset) < ($1.element.depth, $1.offset)
        }.map { $0.element.mount }
        if !added.isEmpty {
            let places = Set(added.map(\.destination))
            mounts = (mounts ?? []).filter { !places.contains($0.destination) } + added
        }
        for hook in edits.hooks { add(hook) }
    }

    /// What only the whole can tell of edits.
    package func checkEdits() throws(Failure) {
        guard linux?.netDevices?.isEmpty == false,
            linux?.namespaces?.contains(where: { $0.type == .network && $0.path == nil }) != true
        else { return }
        throw Failure(.invalidArgument, "a CDI device with netDevices needs a network of the container's own")
    }

    private mutating func add(_ hook: CDISpec.Hook) {
        var hooks = hooks ?? Hooks()
        let added = [hook.hook]
        switch hook.name {
        case .prestart: hooks.prestart = (hooks.prestart ?? []) + added
        case .createRuntime: hooks.createRuntime = (hooks.createRuntime ?? []) + added
        case .createContainer: hooks.createContainer = (hooks.createContainer ?? []) + added
        case .startContainer: hooks.startContainer = (hooks.startContainer ?? []) + added
        case .poststart: hooks.poststart = (hooks.poststart ?? []) + added
        case .poststop: hooks.poststop = (hooks.poststop ?? []) + added
        }
        self.hooks = hooks
    }
}

extension RuntimeSpec.Process {
    /// What a process gets of the edits: a command in a container that is there, too.
    package mutating func apply(_ edits: CDISpec.Edits) {
        for setting in edits.environment {
            let name = setting.prefix { $0 != "=" }
            if let place = env?.firstIndex(where: { $0.prefix { $0 != "=" } == name }) {
                env?[place] = setting
            } else {
                env = (env ?? []) + [setting]
            }
        }
        for gid in edits.additionalGIDs where gid != 0 {
            var user = user ?? RuntimeSpec.User(uid: 0, gid: 0)
            if user.additionalGids?.contains(gid) != true {
                user.additionalGids = (user.additionalGids ?? []) + [gid]
            }
            self.user = user
        }
    }
}

extension RuntimeSpec.Linux {
    fileprivate mutating func allow(_ device: RuntimeSpec.Device, _ permissions: String) {
        guard device.type != .fifo, !permissions.isEmpty else { return }
        var resources = resources ?? RuntimeSpec.Resources()
        // Everything is allowed already.
        if let last = resources.devices?.last, last.allow, last.type == nil { return }
        resources.devices =
            (resources.devices ?? []) + [
                RuntimeSpec.DeviceRule(
                    allow: true, type: device.type == .block ? "b" : "c", major: device.major,
                    minor: device.minor,
                    access: permissions)
            ]
        self.resources = resources
    }
}

extension CDISpec.Mount {
    fileprivate var depth: Int { containerPath.split(separator: "/").count }

    /// A path of the host without a word about the kind of mount is bound.
    fileprivate var mount: RuntimeSpec.Mount {
        let isBind = options.contains("bind") || options.contains("rbind")
        let options = (type ?? "").isEmpty && !isBind ? options + ["rbind"] : options
        return RuntimeSpec.Mount(
            destination: containerPath, type: (type ?? "").isEmpty ? "bind" : type, source: hostPath,
            options: options)
    }
}
