/// A build as BuildKit's plain log: a line for all that happens, with its step's number. Each function answers what is to
/// be written.
///
/// ```
/// #3 [base 2/5] RUN make
/// #3 0.123 cc -c a.c
/// #3 ...
///
/// #4 [docs 2/2] RUN …
/// #4 DONE 1.2s
///
/// #3 [base 2/5] RUN make
/// #3 ERROR: …
/// ```
package struct PlainLog: Sendable {
    private struct Step {
        let name: String
        let begun: Int64
        var output: StepOutput
    }

    private var steps: [Int: Step] = [:]
    /// The step that the last line was of, while it is at work.
    private var current: Int?
    private var isFirst = true
    private let filters: Bool

    /// - Parameter filters: it goes to a terminal, which must not get a stranger's escape sequences.
    package init(filters: Bool) { self.filters = filters }

    package mutating func began(_ step: Int, _ name: String, at now: Int64) -> String {
        steps[step] = Step(
            name: clean(name), begun: now, output: StepOutput(filters: filters, begun: now))
        return turn(to: step)
    }

    package mutating func wrote(_ step: Int, _ bytes: [UInt8], at now: Int64) -> String {
        guard let lines = steps[step]?.output.add(bytes, at: now), !lines.isEmpty else { return "" }
        return turn(to: step) + lines.map { "#\(step) \($0.shown)\n" }.joined()
    }

    package mutating func told(_ step: Int, _ line: String) -> String {
        turn(to: step) + "#\(step) \(clean(line))\n"
    }

    package mutating func ended(_ step: Int, _ end: StepEnd, at now: Int64) -> String {
        guard let known = steps[step] else { return "" }
        let rest = steps[step]?.output.finish(at: now) ?? []
        var text = turn(to: step) + rest.map { "#\(step) \($0.shown)\n" }.joined()
        switch end {
        case .done: text += "#\(step) DONE \(Seconds.tenths(now - known.begun))s\n"
        case .cached: text += "#\(step) CACHED\n"
        case .failed(let message): text += "#\(step) ERROR: \(clean(message))\n"
        case .canceled: text += "#\(step) CANCELED\n"
        }
        steps[step] = nil
        current = nil
        return text
    }

    private mutating func turn(to step: Int) -> String {
        guard current != step else { return "" }
        var text = current.map { "#\($0) ...\n" } ?? ""
        if !isFirst { text += "\n" }
        isFirst = false
        current = step
        return text + (steps[step].map { "#\(step) \($0.name)\n" } ?? "")
    }

    private func clean(_ text: String) -> String { filters ? TerminalText.line(text) : text }
}
