import Build
import BuildScreen
import Failure
import LinuxSystem
import Synchronization

/// Nothing, but of a failed step its last words: without them nobody knows why it failed.
final class QuietBuildProgress: BuildProgress {
    private let failed: Mutex<FailedSteps>

    init(filters: Bool) { failed = Mutex(FailedSteps(filters: filters)) }

    func began(_ step: Int, _ name: String) {
        failed.withLock { $0.began(step, name, at: monotonicNanoseconds()) }
    }

    func wrote(_ step: Int, _ bytes: [UInt8]) {
        failed.withLock { $0.wrote(step, bytes, at: monotonicNanoseconds()) }
    }

    func told(_ step: Int, _ line: String) {}

    func ended(_ step: Int, _ end: BuildStepEnd) {
        failed.withLock { $0.ended(step, end.shown, at: monotonicNanoseconds()) }
    }

    func warned(_ line: String) {}

    func end(_ failure: Failure?) {
        let text = failed.withLock { $0.text }
        if !text.isEmpty { Console.error(text) }
    }
}
