internal import BuildContext
internal import Dockerfile
internal import Engine
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI

/// Why a step came from the cache or did not (`--explain`): its inputs beside those of the same step in the last build of
/// the same Dockerfile.
extension BuildSession {
    /// One Dockerfile's builds: by context, file and target.
    private var identity: String {
        return ContentHash.hex(
            of: Array("\(contextIdentity)\n\(request.dockerfile ?? "")\n\(request.target ?? "")".utf8))
    }

    /// Told to people with `--explain` only; remembered always, so that the next build can tell.
    func explain(_ build: StageBuild, _ step: Int, _ text: String, _ inputs: StepInputs, found: Bool) {
        let place = "\(build.stage.index).\(build.state.chain.layers.count)"
        let former = lastBuild.inputs(at: place)
        remember(inputs, at: place)
        guard request.explains else { return }
        if found {
            progress.told(step, "cache hit \(inputs.key.prefix(12))")
            return
        }
        if request.ignoresCache {
            progress.told(step, "cache not asked: --no-cache")
            return
        }
        guard let former else {
            progress.told(step, "cache miss: this step was not built before")
            return
        }
        if former.value(of: "instruction") != inputs.value(of: "instruction") {
            progress.told(step, "cache miss: another instruction stood here in the last build")
            return
        }
        let changes = inputs.changes(since: former)
        guard !changes.isEmpty else {
            progress.told(step, "cache miss: its layer is gone (pruned, or made for another time of files)")
            return
        }
        progress.told(step, "cache miss:")
        for change in changes { progress.told(step, "  \(change)") }
        for input in inputs.inputs where input.name.hasPrefix("files ") {
            guard let before = former.inputs.first(where: { $0.name == input.name }),
                before.value != input.value, let old = manifest(of: before.value),
                let new = manifest(of: input.value)
            else { continue }
            let changes = new.changes(since: old, limit: 20)
            for change in changes.shown { progress.told(step, "    \(change.words)") }
            if changes.count > changes.shown.count {
                progress.told(step, "    and \(changes.count - changes.shown.count) more")
            }
        }
    }

    private func remember(_ inputs: StepInputs, at place: String) { lastBuild.set(inputs, at: place) }

    func saveExplanations() { lastBuild.save(in: engine.root, identity) }

    func loadExplanations() { lastBuild.load(from: engine.root, identity) }

    func keep(_ manifest: SelectionManifest, of digest: String) {
        cache.write(manifest, of: digest)
    }

    private func manifest(of digest: String) -> SelectionManifest? { cache.manifest(of: digest) }
}

extension SelectionManifest.Change {
    fileprivate var words: String {
        switch self {
        case .changed(let path): "\(path.shown) changed"
        case .added(let path): "\(path.shown) is new"
        case .removed(let path): "\(path.shown) is gone"
        }
    }
}
