internal import Dockerfile
internal import Engine
internal import Failure
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Transfers

/// A stage while it is built, on a thread of its own, instruction after instruction.
///
/// `@unchecked Sendable`: all but `result` belongs to the stage's thread; `result` is read and written inside the
/// session's condition.
final class StageBuild: @unchecked Sendable {
    let stage: Stage
    let plan: BuildPlan
    let session: BuildSession
    /// Set once, at the end.
    var result: StageResult?

    var state: StageResult
    /// Declared by ARG so far, in order; nil: without a value.
    var arguments: [(name: String, value: String?)] = []
    /// The shell of the stage, where SHELL or the base gave one.
    var shell: [String] { state.settings.shell ?? ["/bin/sh", "-c"] }
    var hasOwnCommand = false
    /// Steps that are shown as `[name 2/5]`.
    private var shown = 0
    private var total = 0

    init(_ stage: Stage, _ plan: BuildPlan, _ session: BuildSession) {
        self.stage = stage
        self.plan = plan
        self.session = session
        state = StageResult(platform: session.platform)
    }

    func run() throws(Failure) -> StageResult {
        var instructions = stage.instructions
        total = 1 + instructions.filter(\.isShown).count
        let triggers = try begin()
        total += triggers.filter(\.isShown).count
        instructions = triggers + instructions
        for instruction in instructions {
            try session.check()
            do throws(Failure) {
                try perform(instruction)
            } catch {
                // Where it is wrong has been said, or it is no fault of this instruction.
                if error.code == .interrupted || error.cause is LocatedFailure { throw error }
                throw located(error, at: instruction.range)
            }
        }
        return state
    }

    /// The failure with the instruction's lines.
    func located(_ error: Failure, at range: SourceRange) -> Failure {
        let document = session.document
        let excerpt = Excerpt(lines: document.lines, range: range).text
        return Failure(
            error.code, "\(document.name):\(range.firstLine): \(error.message)",
            hint: [error.hint, excerpt].compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: "\n"),
            cause: LocatedFailure(cause: error))
    }

    func located(_ error: DockerfileError, at range: SourceRange) -> Failure {
        var failure = error.at(range).failure(in: session.document.name, lines: session.document.lines)
        failure.cause = LocatedFailure(cause: error)
        return failure
    }

    // MARK: steps

    /// `[builder 2/5] RUN make`
    func title(_ text: String) -> String {
        shown += 1
        let name = stage.name.map { "\($0) " } ?? (plan.stages.count > 1 ? "stage-\(stage.index) " : "")
        return "[\(name)\(shown)/\(total)] \(text)"
    }

    /// Tells of a step's beginning and end, also of a failure's.
    func step<R>(_ title: String, _ body: (Int) throws(Failure) -> (R, BuildStepEnd)) throws(Failure) -> R {
        let number = session.nextStep()
        session.progress.began(number, title)
        do throws(Failure) {
            let (result, end) = try body(number)
            session.progress.ended(number, end)
            return result
        } catch {
            // What tells its place already is another stage's failure.
            let isOthers = error.code == .interrupted || error.cause is LocatedFailure
            session.progress.ended(number, isOthers ? .canceled : .failed(error.message))
            throw error
        }
    }

    // MARK: variables

    /// ARGs, and ENVs over them.
    var variables: [String: String] {
        var values: [String: String] = [:]
        for argument in arguments { values[argument.name] = argument.value }
        for entry in state.settings.env ?? [] {
            let (name, value) = entry.splitAtEquals
            values[name] = value
        }
        return values
    }

    func expanded(_ instruction: Instruction) throws(Failure) -> Instruction {
        do throws(DockerfileError) {
            return try instruction.expanding(
                Expansion(escape: session.document.escape, variables: variables),
                buildArguments: session.buildArguments.given, globalArguments: plan.globals
            ).instruction
        } catch {
            throw located(error, at: instruction.range)
        }
    }

    /// An instruction without files.
    func remember(_ text: String) {
        state.history.append(
            ImageConfig.History(
                created: session.created, createdBy: text, comment: BuildSession.comment, emptyLayer: true))
    }

    /// An instruction with a layer.
    func append(_ layer: BuiltLayer, _ text: String) {
        state.chain.append(layer)
        state.history.append(
            ImageConfig.History(
                created: session.created, createdBy: text, comment: BuildSession.comment))
    }
}

/// A failure that tells its place in the Dockerfile already.
struct LocatedFailure: Error {
    let cause: any Error
}

extension Instruction {
    /// Those with files have a step of their own.
    var isShown: Bool {
        switch kind {
        case .add, .copy, .run, .workdir: true
        default: false
        }
    }
}

extension String {
    var splitAtEquals: (name: String, value: String) {
        guard let equals = firstIndex(of: "=") else { return (self, "") }
        return (String(self[..<equals]), String(self[index(after: equals)...]))
    }
}

extension BuildSession {
    static let comment = "ctr.dockerfile.v0"
    var created: String { RFC3339.text(epoch) }
}
