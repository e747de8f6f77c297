internal import BuildContext
internal import Dockerfile
package import Engine
package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Transfers

/// What a build has made.
package struct BuildOutcome: Sendable {
    /// `sha256:…`; nil where no image was asked for (`tar`, `local`).
    package var imageID: String?
    package var manifestDigest: String?
    /// As people write them.
    package var names: [String] = []
}

extension Engine {
    /// Builds what a Dockerfile says, with one thread a stage; `BuildNamespace.enter` came before the engine was made.
    ///
    /// - Parameter interrupt: readable when the build is to end at once; -1 for none.
    /// - Throws: the first failure of a step, with the Dockerfile's lines; `interrupted`.
    package func build(
        _ request: BuildRequest, progress: any BuildProgress, interrupt: Int32 = -1
    ) throws(Failure) -> BuildOutcome {
        let references = try request.names.map { (name) throws(Failure) in
            let reference = try Reference.parse(name)
            guard reference.digest == nil else {
                throw Failure(
                    .invalidArgument, "--tag \(name): an image cannot be given a digest as its name")
            }
            return reference
        }
        let work = try WorkDirectory(engine: self)
        defer { withExtendedLifetime(work) {} }
        let lease = try Lease.take(in: root)
        defer { lease.release() }
        // A build that was killed has left layers.
        if let swept = try? layerStore().sweep(), swept > 0 { try? emptyTrash() }
        let input = try BuildInput(request, work)
        let session = try session(request, progress, input, lease, work)
        let plan: BuildPlan
        do throws(DockerfileError) {
            plan = try BuildPlan(
                input.document, target: request.target, arguments: session.buildArguments,
                contexts: Set(request.contexts.keys))
        } catch {
            throw error.failure(in: input.document.name, lines: input.document.lines)
        }
        session.warnOfUnusedArguments()
        session.loadExplanations()
        let watch = InterruptWatch(interrupt, session)
        defer { watch.end() }
        defer {
            session.saveExplanations()
            try? session.memory.save()
            session.end()
        }
        try session.tellFindings(input, plan)
        let result = try session.run(plan)
        let outcome = try BuildExport(session, result, references).run()
        try session.exportCache(result)
        return outcome
    }

    private func session(
        _ request: BuildRequest, _ progress: any BuildProgress, _ input: BuildInput, _ lease: Lease,
        _ work: WorkDirectory
    ) throws(Failure) -> BuildSession {
        let platform =
            try request.platform.map { (text) throws(Failure) in
                guard !text.contains(",") else {
                    throw Failure(
                        .unsupported, "--platform \(text): one platform a build",
                        hint: "build once for each, and push under names of their own")
                }
                return try Platform(text)
            } ?? .host
        return try BuildSession(
            engine: self, request: request, progress: progress, document: input.document, platform: platform,
            epoch: Timestamp(seconds: try input.epoch(request)), contextIdentity: input.identity,
            lease: lease, work: work,
            sources: BuildSources(
                request, context: input.tree, contexts: NamedContexts(request.contexts)),
            arguments: BuildArguments(
                request.arguments, platform: platform, host: .host, target: request.target),
            memory: try memory(input.identity),
            imported: ImportedCaches(request.cacheSources, for: self, progress))
    }

    private func memory(_ identity: String) throws(Failure) -> DigestMemory {
        try during("open the build's memory of files") { () throws(SystemError) in
            _ = try root.directory("build/digests")
        }
        return DigestMemory(
            path: "\(rootPath)/build/digests/\(ContentHash.hex(of: Array(identity.utf8)))")
    }
}

extension BuildSession {
    func warnOfUnusedArguments() {
        var declared: Set<String> = []
        for instruction in document.globalArguments + document.stages.flatMap(\.instructions) {
            if case .arg(let declarations) = instruction.kind { declared.formUnion(declarations.map(\.name)) }
        }
        let unused = buildArguments.unused(declared: declared)
        if !unused.isEmpty {
            progress.warned(
                "[Warning] One or more build-args [\(unused.joined(separator: " "))] were not consumed")
        }
    }
}
