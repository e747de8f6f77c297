internal import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import OCI
internal import Runtime

/// Hooks, which CDI devices bring. They find the container as those of other runtimes do: by a bundle with a config.json
/// beside the place where the root is, while it is made.
extension Engine {
    private func bundleDirectory(of id: String) -> String { "\(runDirectory(of: id))/bundle" }

    /// - Throws: `unsupported` for what could not find the container.
    func checkHooks(of settings: ContainerSettings, _ spec: RuntimeSpec) throws(Failure) {
        // What is below ctr's own directories cannot be reached with its ids.
        if settings.userNamespace.maps != nil, spec.hooks?.createContainer?.isEmpty == false {
            throw Failure(
                .unsupported,
                "createContainer hooks of CDI devices do not work in a user namespace of the container's",
                hint: "leave out --userns, --uidmap and --gidmap")
        }
    }

    /// Makes what hooks look at, and tells the plan of them.
    /// - Returns: those that run beside the container.
    func prepareHooks(
        of record: ContainerRecord, _ spec: RuntimeSpec, _ context: inout Planner.Context
    ) throws(Failure) -> [Hook] {
        if spec.linux?.netDevices?.isEmpty == false { context.awaitsParent = true }
        guard let hooks = spec.hooks else { return [] }
        try checkHooks(of: record.settings, spec)
        let bundle = bundleDirectory(of: record.id)
        var config = spec
        config.root = RuntimeSpec.Root(path: "rootfs", readonly: spec.root?.readonly)
        let text = try JSON.encode(config)
        try during("make \(bundle)") { () throws(SystemError) in
            try Directory.ensurePath("\(bundle)/rootfs")
            let directory = try Directory.open(bundle)
            try AtomicFile.write(text, to: "config.json", in: directory.raw, durable: false)
        }
        func state(_ status: RuntimeState.Status) throws(Failure) -> (String, String) {
            try RuntimeState(id: record.id, status: status, bundle: bundle, annotations: spec.annotations)
                .textAroundPID()
        }
        context.hookStates = (try state(.creating), try state(.created))
        let early = [hooks.prestart, hooks.createRuntime, hooks.createContainer]
        if early.contains(where: { $0?.isEmpty == false }) {
            context.awaitsParent = true
            // pivot_root refuses a shared parent.
            if record.settings.userNamespace.maps == nil,
                spec.linux?.rootfsPropagation?.hasSuffix("shared") != true
            {
                context.rootPlace = "\(bundle)/rootfs"
            }
        }
        return Planner.hooks(hooks.prestart, .prestart, try state(.creating))
            + Planner.hooks(hooks.createRuntime, .createRuntime, try state(.creating))
            + Planner.hooks(hooks.poststart, .poststart, try state(.running))
            + Planner.hooks(hooks.poststop, .poststop, try state(.stopped))
    }
}
