internal import Dockerfile
internal import Failure

/// Which stages a target needs, and what each reads: nothing else is run.
struct BuildPlan: Sendable {
    enum Base: Sendable, Equatable {
        case scratch
        case stage(Int)
        case image(String)
        /// `--build-context` of that name.
        case context(String)
    }

    let target: Int
    /// From the lowest, without those that the target does not need.
    let stages: [Int]
    /// FROM of each needed stage, expanded.
    let bases: [Int: Base]
    /// FROM as it is shown.
    let baseNames: [Int: String]
    let platforms: [Int: String]
    /// The global ARGs' values.
    let globals: [String: String]

    private let names: [(name: String, index: Int)]

    /// - Parameter contexts: the names of `--build-context`.
    init(
        _ document: DockerfileDocument, target: String?, arguments: BuildArguments, contexts: Set<String>
    ) throws(DockerfileError) {
        globals = try arguments.globals(of: document)
        names = document.stages.compactMap { stage in stage.name.map { ($0, stage.index) } }
        let chosen = try BuildPlan.target(target, document)
        self.target = chosen
        var bases: [Int: Base] = [:]
        var baseNames: [Int: String] = [:]
        var platforms: [Int: String] = [:]
        var needed: Set<Int> = []
        var queue = [chosen]
        let expansion = Expansion(
            escape: document.escape, variables: arguments.forBases(globals))
        while let index = queue.popLast() {
            guard needed.insert(index).inserted else { continue }
            let stage = document.stages[index]
            let base = try BuildPlan.expanded(stage.base, expansion, stage)
            guard !base.isEmpty else {
                throw DockerfileError(
                    "base name (\(stage.base)) should not be blank", at: stage.range,
                    hint: "give the argument a value by --build-arg, or a default")
            }
            baseNames[index] = base
            bases[index] = BuildPlan.resolve(base, before: index, names, contexts)
            if let platform = stage.platform {
                platforms[index] = try BuildPlan.expanded(platform, expansion, stage)
            }
            if case .stage(let below) = bases[index] { queue.append(below) }
            for word in BuildPlan.references(of: stage) {
                if case .stage(let other) = BuildPlan.source(word, in: index, names, contexts) {
                    queue.append(other)
                }
            }
        }
        stages = needed.sorted()
        self.bases = bases
        self.baseNames = baseNames
        self.platforms = platforms
    }

    /// What `--from` names in a stage: a context, a stage before it by name or number, or an image.
    func source(_ word: String, in stage: Int, contexts: Set<String>) -> Base {
        BuildPlan.source(word, in: stage, names, contexts)
    }

    private static func expanded(_ text: String, _ expansion: Expansion, _ stage: Stage)
        throws(DockerfileError) -> String
    {
        do throws(DockerfileError) {
            return try expansion.word(text).value
        } catch {
            throw error.at(stage.range)
        }
    }

    private static func target(_ word: String?, _ document: DockerfileDocument) throws(DockerfileError) -> Int
    {
        guard let word, !word.isEmpty else { return document.stages.count - 1 }
        if let stage = document.stages.last(where: { $0.name == word.lowercased() }) { return stage.index }
        if let index = Int(word), document.stages.indices.contains(index) { return index }
        throw DockerfileError(
            "target stage \"\(word)\" could not be found",
            hint: Nearest(among: document.stages.compactMap(\.name)).hint(for: word))
    }

    private static func resolve(
        _ base: String, before index: Int, _ names: [(name: String, index: Int)], _ contexts: Set<String>
    ) -> Base {
        if let stage = names.last(where: { $0.name == base.lowercased() && $0.index < index }) {
            return .stage(stage.index)
        }
        if contexts.contains(base) || contexts.contains(base.lowercased()) {
            return .context(contexts.contains(base) ? base : base.lowercased())
        }
        return base == "scratch" ? .scratch : .image(base)
    }

    private static func source(
        _ word: String, in index: Int, _ names: [(name: String, index: Int)], _ contexts: Set<String>
    ) -> Base {
        if let number = Int(word), (0..<index).contains(number) { return .stage(number) }
        return resolve(word, before: index, names, contexts)
    }

    /// The words of `COPY --from` and `RUN --mount=from=`, which take no variables.
    private static func references(of stage: Stage) -> [String] {
        stage.instructions.flatMap { instruction -> [String] in
            switch instruction.kind {
            case .copy(let copy): return copy.from.map { [$0] } ?? []
            case .run(let run): return run.mounts.compactMap { from(ofMount: $0) }
            case .onbuild: return []
            default: return []
            }
        }
    }

    private static func from(ofMount text: String) -> String? {
        (try? RunMount.parse(text) { $0 })?.from
    }
}
