import Build
import CommandTable
import Failure
import LinuxSystem
import Synchronization

/// How a build is shown.
struct BuildDisplay {
    let progress: any BuildProgress
    let end: (Failure?) -> Void

    static func chosen(_ command: ParsedCommand) -> BuildDisplay {
        let plain = PlainBuildProgress()
        return BuildDisplay(progress: plain, end: { plain.end($0) })
    }
}

/// A line for all that happens, with the step's number: for logs and pipes.
final class PlainBuildProgress: BuildProgress {
    private struct Step {
        let begun: ContinuousClock.Instant
        var rest: [UInt8] = []
    }

    private struct State {
        var steps: [Int: Step] = [:]
        /// The step that wrote last: another one's line is set off by an empty line.
        var last = 0
    }

    private let state = Mutex(State())

    func began(_ step: Int, _ name: String) {
        state.withLock { state in
            state.steps[step] = Step(begun: .now)
            show(step, name, &state)
        }
    }

    func wrote(_ step: Int, _ bytes: [UInt8]) {
        state.withLock { state in
            guard var known = state.steps[step] else { return }
            known.rest += bytes
            let seconds = PlainBuildProgress.seconds(since: known.begun)
            while let end = known.rest.firstIndex(of: 0x0a) {
                show(step, "\(seconds) \(PlainBuildProgress.text(known.rest[..<end]))", &state)
                known.rest.removeSubrange(...end)
            }
            state.steps[step] = known
        }
    }

    func told(_ step: Int, _ line: String) { state.withLock { show(step, line, &$0) } }

    func ended(_ step: Int, _ end: BuildStepEnd) {
        state.withLock { state in
            guard let known = state.steps.removeValue(forKey: step) else { return }
            let seconds = PlainBuildProgress.seconds(since: known.begun)
            if !known.rest.isEmpty {
                show(step, "\(seconds) \(PlainBuildProgress.text(known.rest[...]))", &state)
            }
            switch end {
            case .done: show(step, "DONE \(seconds)s", &state)
            case .cached: show(step, "CACHED", &state)
            case .failed(let message): show(step, "ERROR: \(message)", &state)
            case .canceled: show(step, "CANCELED", &state)
            }
        }
    }

    func warned(_ line: String) { Console.error("\(line)\n") }

    func end(_ failure: Failure?) {}

    private func show(_ step: Int, _ line: String, _ state: inout State) {
        let gap = state.last != 0 && state.last != step ? "\n" : ""
        state.last = step
        Console.error("\(gap)#\(step) \(line)\n")
    }

    static func seconds(since begin: ContinuousClock.Instant) -> String {
        let duration = ContinuousClock.now - begin
        let tenths = duration / .milliseconds(100)
        return "\(Int(tenths) / 10).\(Int(tenths) % 10)"
    }

    static func text(_ line: ArraySlice<UInt8>) -> String {
        var line = line
        while line.last == 0x0d { line = line.dropLast() }
        return String(decoding: line, as: UTF8.self)
    }
}
