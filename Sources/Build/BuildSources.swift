internal import BuildContext
internal import Dockerfile
internal import Engine
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Transfers

/// What a build reads from outside of its steps: images, contexts, secrets.
///
/// `@unchecked Sendable`: what is found is kept inside `condition`.
final class BuildSources: @unchecked Sendable {
    struct FoundImage: Sendable {
        var result: StageResult
        var isPulled: Bool
        var name: String
    }

    let request: BuildRequest
    /// The build's own.
    let context: ContextTree
    let contexts: NamedContexts
    private let condition = Condition()
    private var images: [String: FoundImage] = [:]
    private var trees: [String: SourceTree] = [:]

    init(_ request: BuildRequest, context: ContextTree, contexts: NamedContexts) {
        self.request = request
        self.context = context
        self.contexts = contexts
    }

    func end() {
        let ended = condition.locked {
            defer {
                trees = [:]
                images = [:]
            }
            return (trees, images)
        }
        withExtendedLifetime(ended) {}
    }

    // MARK: images

    /// An image of the store, or pulled; asked for once a build.
    func image(
        _ word: String, platform: Platform, _ session: BuildSession, step: Int
    ) throws(Failure) -> FoundImage {
        try condition.locked { () throws(Failure) in
            let key = "\(word) \(platform)"
            if let known = images[key] {
                var again = known
                again.isPulled = false
                return again
            }
            let found = try look(for: word, platform, session, step)
            images[key] = found
            return found
        }
    }

    private func look(
        for word: String, _ platform: Platform, _ session: BuildSession, _ step: Int
    ) throws(Failure) -> FoundImage {
        let engine = session.engine
        var isPulled = false
        var record = request.pulls ? nil : try local(word, platform, engine)
        if record == nil {
            session.progress.told(step, "pulling \(word)")
            _ = try engine.pull(
                word, platform: platform.description, allTags: false, progress: SilentProgress())
            record = try engine.image(word)
            isPulled = true
        }
        guard var image = record else { throw Failure(.notFound, "no such image: \(word)") }
        if try !isUnpacked(image, session.layers) {
            session.progress.told(step, "unpacking \(word)")
            try engine.provide(word, platform: nil, pull: false, progress: SilentProgress())
            image = try engine.image(word)
        }
        try session.lease.protect(
            digests: image.digests, layers: image.layers.compactMap(\.directory))
        return FoundImage(
            result: try StageResult(image, session), isPulled: isPulled,
            name: image.reference?.canonical ?? word)
    }

    private func local(_ word: String, _ platform: Platform, _ engine: Engine) throws(Failure) -> ImageRecord?
    {
        do throws(Failure) {
            let found = try engine.image(word)
            return platform.runs(found.platform) ? found : nil
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private func isUnpacked(_ image: ImageRecord, _ layers: LayerStore) throws(Failure) -> Bool {
        for layer in image.layers {
            guard let directory = layer.directory, try layers.isThere(directory) else { return false }
        }
        return true
    }

    /// `--build-context NAME=docker-image://…` as a base.
    func image(ofContext name: String, _ session: BuildSession) throws(Failure) -> String {
        try contexts.image(name)
    }

    // MARK: trees

    /// Returns when a stage that `--from` names has ended; at once for everything else.
    func await(_ from: String?, for stage: StageBuild) throws(Failure) {
        guard let from else { return }
        let source = stage.plan.source(
            from, in: stage.stage.index, contexts: Set(request.contexts.keys))
        if case .stage(let index) = source { _ = try stage.session.result(ofStage: index) }
    }

    /// What `--from` names in a stage, or the build's own context.
    func tree(_ from: String?, for stage: StageBuild, step: Int) throws(Failure) -> SourceTree {
        let session = stage.session
        guard let from else {
            return condition.locked { () -> SourceTree in
                let tree = trees[""] ?? SourceTree(context, identity: nil, session)
                trees[""] = tree
                return tree
            }
        }
        let source = stage.plan.source(
            from, in: stage.stage.index, contexts: Set(request.contexts.keys))
        switch source {
        case .scratch: throw Failure(.invalidArgument, "--from=scratch: there is nothing to copy from")
        case .stage(let index):
            let result = try session.result(ofStage: index)
            let name = session.document.stages[index].name ?? String(index)
            return try shared("stage \(index)") { () throws(Failure) in
                try SourceTree(of: result.chain, name: "stage \"\(name)\"", session)
            }
        case .image(let word):
            let image = try image(word, platform: session.platform, session, step: step)
            return try shared("image \(word)") { () throws(Failure) in
                try SourceTree(of: image.result.chain, name: "image \(word)", session)
            }
        case .context(let name):
            if let word = try? contexts.image(name) {
                let image = try image(word, platform: session.platform, session, step: step)
                return try shared("image \(word)") { () throws(Failure) in
                    try SourceTree(of: image.result.chain, name: "image \(word)", session)
                }
            }
            let tree = try contexts.tree(name, session)
            return try shared("context \(name)") { () throws(Failure) in
                SourceTree(tree, identity: nil, session)
            }
        }
    }

    private func shared(_ key: String, _ make: () throws(Failure) -> SourceTree) throws(Failure)
        -> SourceTree
    {
        try condition.locked { () throws(Failure) in
            if let known = trees[key] { return known }
            let tree = try make()
            trees[key] = tree
            return tree
        }
    }

    /// The digest of what a bind mount shows.
    func digest(ofMount mount: RunMount, for stage: StageBuild) throws(Failure) -> String {
        let tree = try tree(mount.from, for: stage, step: 0)
        let source = mount.source.isEmpty ? "." : mount.source
        return try tree.digest(of: [source], stage.session).key
    }
}

extension StageResult {
    /// An image as the bottom of a stage.
    init(_ image: ImageRecord, _ session: BuildSession) throws(Failure) {
        let config = try ImageConfig(bytes: try session.engine.content.bytes(of: image.config))
        self.init(platform: image.platform)
        settings = config.config ?? ImageConfig.Settings()
        history = config.history ?? []
        author = config.author
        for layer in image.layers {
            guard let directory = layer.directory else {
                throw Failure(.notFound, "a layer is not unpacked", hint: "pull the image again")
            }
            chain.append(
                BuiltLayer(
                    diffID: layer.diffID, descriptor: layer.descriptor, directory: directory,
                    size: try session.engine.unpackedSize(of: layer),
                    root: SharedFileDescriptor(try session.layers.open(named: directory))))
        }
    }
}
