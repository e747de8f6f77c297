internal import Dockerfile
internal import Engine
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Transfers

extension StageBuild {
    /// A step with a layer: from the cache where its inputs are known, else by `make`.
    ///
    /// - Parameters:
    ///   - text: for people.
    ///   - history: for the image.
    func layer(
        _ text: String, history: String, inputs: (Int) throws(Failure) -> StepInputs,
        make: (Int) throws(Failure) -> BuiltLayer
    ) throws(Failure) {
        let layer = try step(title(text)) { (number) throws(Failure) in
            let inputs = try inputs(number)
            let key = inputs.key
            if try session.isCached(stage), let entry = try session.entry(key) {
                session.explain(self, number, text, inputs, found: true)
                if entry.epoch == session.epoch.seconds {
                    let found = try session.layer(entry)
                    session.noteUse(entry, found)
                    return (found, .cached)
                }
                session.progress.told(number, "giving the files of this step their new time")
                let timed = try retimed(entry)
                try add(key, timed, text, inputs)
                return (timed, .cached)
            }
            if try session.isCached(stage),
                let (entry, layer) = try session.imported.layer(key, session, number)
            {
                session.explain(self, number, text, inputs, found: true)
                try session.add(entry, layer)
                session.noteUse(entry, layer)
                return (layer, .cached)
            }
            session.explain(self, number, text, inputs, found: false)
            let made = try make(number)
            try add(key, made, text, inputs)
            return (made, .done)
        }
        append(layer, history)
    }

    /// What every step stands on.
    func baseInputs(_ text: String) -> StepInputs {
        var inputs = StepInputs()
        inputs.add("parent", state.chain.identity)
        inputs.add("platform", state.platform.description)
        inputs.add("instruction", text)
        return inputs
    }

    private func add(
        _ key: String, _ layer: BuiltLayer, _ text: String, _ inputs: StepInputs
    ) throws(Failure) {
        let entry = BuildCache.Entry(key, layer, session, text, inputs)
        try session.add(entry, layer)
        session.noteUse(entry, layer)
    }

    /// The layer that the step would have made with this build's time: what the cache has may be of another.
    private func retimed(_ entry: BuildCache.Entry) throws(Failure) -> BuiltLayer {
        let former = try session.layer(entry)
        let layer = try StepLayer(on: state.chain, session)
        try layer.copy(former.root.raw)
        return try layer.finish(former: Timestamp(seconds: entry.epoch), identity: entry.identity)
    }

    /// WORKDIR: the directory is made where it is not there, and is its user's.
    func changeDirectory(_ path: String, _ instruction: Instruction) throws(Failure) {
        try state.settings.apply(instruction, shell: shell, hasOwnCommand: &hasOwnCommand)
        let directory = state.settings.workingDir ?? "/"
        let text = "WORKDIR \(path)"
        let user = state.settings.user ?? ""
        try layer(
            text, history: text,
            inputs: { (_) throws(Failure) in
                var inputs = baseInputs("WORKDIR \(directory)")
                inputs.add("user", user)
                return inputs
            },
            make: { (_) throws(Failure) in
                let layer = try StepLayer(on: state.chain, session)
                do {
                    let root = try layer.mount()
                    let owner =
                        user.isEmpty ? nil : try session.engine.owner(user, in: root.descriptor)
                    try MountTargets(root: root.descriptor.raw).ensure(
                        directory, isDirectory: true, owner: owner)
                }
                return try layer.finish()
            })
    }
}

extension BuildSession {
    /// A step whose inputs were seen before; nil where it is not known, or not whole any more.
    func entry(_ key: String) throws(Failure) -> BuildCache.Entry? {
        guard let entry = try cache.entry(key) else { return nil }
        try lease.protect(layers: [entry.directory])
        guard try layers.exists(entry.diffID) else { return nil }
        cache.touch(key)
        return entry
    }

    func layer(_ entry: BuildCache.Entry) throws(Failure) -> BuiltLayer {
        BuiltLayer(
            diffID: entry.diffID, identity: entry.identity,
            descriptor: Descriptor(mediaType: MediaType.layer, digest: entry.diffID, size: entry.tarSize),
            directory: entry.directory, size: entry.size,
            root: SharedFileDescriptor(try layers.open(entry.diffID)))
    }

    func isCached(_ stage: Stage) throws(Failure) -> Bool {
        if request.ignoresCache { return false }
        if let name = stage.name, request.uncachedStages.contains(name) { return false }
        return !request.uncachedStages.contains(String(stage.index))
    }
}

extension BuildCache.Entry {
    init(_ key: String, _ layer: BuiltLayer, _ session: BuildSession, _ text: String, _ inputs: StepInputs) {
        self.init(
            key: key, diffID: layer.diffID, identity: layer.identity, tarSize: layer.descriptor.size,
            size: layer.size, epoch: session.epoch.seconds, made: Timestamp.now().seconds, text: text,
            inputs: inputs)
    }
}
