/// The last words of the steps that failed, as BuildKit shows them below everything else.
package struct FailedSteps: Sendable {
    private struct Step {
        let name: String
        var output: StepOutput
    }

    private var running: [Int: Step] = [:]
    private var failed: [Step] = []
    private let filters: Bool

    /// - Parameter filters: what is shown goes to a terminal.
    package init(filters: Bool) { self.filters = filters }

    package mutating func began(_ step: Int, _ name: String, at now: Int64) {
        running[step] = Step(
            name: filters ? TerminalText.line(name) : name, output: StepOutput(filters: filters, begun: now))
    }

    package mutating func wrote(_ step: Int, _ bytes: [UInt8], at now: Int64) {
        _ = running[step]?.output.add(bytes, at: now)
    }

    package mutating func ended(_ step: Int, _ end: StepEnd, at now: Int64) {
        guard var known = running.removeValue(forKey: step), case .failed = end else { return }
        _ = known.output.finish(at: now)
        failed.append(known)
    }

    package var text: String {
        failed.map { step in
            "------\n > \(step.name):\n"
                + step.output.last.map { "\($0.shown)\n" }.joined() + "------\n"
        }.joined()
    }
}
