import Build
import BuildScreen
import Failure
import LinuxSystem
import Synchronization

/// A line for all that happens, with the step's number: for logs and pipes.
final class PlainBuildProgress: BuildProgress {
    private struct State {
        var log: PlainLog
        var failed: FailedSteps
        var warnings: [String] = []
    }

    private let state: Mutex<State>

    init(filters: Bool) {
        state = Mutex(State(log: PlainLog(filters: filters), failed: FailedSteps(filters: filters)))
    }

    func began(_ step: Int, _ name: String) {
        let now = monotonicNanoseconds()
        state.withLock { state in
            state.failed.began(step, name, at: now)
            Console.error(state.log.began(step, name, at: now))
        }
    }

    func wrote(_ step: Int, _ bytes: [UInt8]) {
        let now = monotonicNanoseconds()
        state.withLock { state in
            state.failed.wrote(step, bytes, at: now)
            let text = state.log.wrote(step, bytes, at: now)
            if !text.isEmpty { Console.error(text) }
        }
    }

    func told(_ step: Int, _ line: String) { state.withLock { Console.error($0.log.told(step, line)) } }

    func ended(_ step: Int, _ end: BuildStepEnd) {
        let now = monotonicNanoseconds()
        state.withLock { state in
            state.failed.ended(step, end.shown, at: now)
            Console.error(state.log.ended(step, end.shown, at: now))
        }
    }

    func warned(_ line: String) { state.withLock { $0.warnings.append(line) } }

    func end(_ failure: Failure?) {
        state.withLock { state in
            let text = state.failed.text + BuildWarnings.text(state.warnings)
            if !text.isEmpty { Console.error(text) }
        }
    }
}

/// Warnings come last, where they are seen.
enum BuildWarnings {
    static func text(_ warnings: [String]) -> String {
        let isTerminal = Terminal.isTerminal(2)
        return warnings.map { warning in
            let text = isTerminal ? TerminalText.lines(warning).joined(separator: "\n") : warning
            return "\n \(text)\n"
        }.joined()
    }
}
