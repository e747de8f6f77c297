import Build
import BuildScreen
import Engine
import LinuxSystem
import Synchronization

/// JSON for programs, an object a line.
final class EventBuildProgress: BuildProgress {
    private let log = Mutex(EventLog())

    private static var now: String { RFC3339.text(.now()) }

    func began(_ step: Int, _ name: String) {
        log.withLock { Console.error($0.began(step, name, time: Self.now)) }
    }

    func wrote(_ step: Int, _ bytes: [UInt8]) {
        log.withLock { log in
            let text = log.wrote(step, bytes, time: Self.now)
            if !text.isEmpty { Console.error(text) }
        }
    }

    func told(_ step: Int, _ line: String) {
        log.withLock { Console.error($0.told(step, line, time: Self.now)) }
    }

    func ended(_ step: Int, _ end: BuildStepEnd) {
        log.withLock { Console.error($0.ended(step, end.shown, time: Self.now)) }
    }

    func warned(_ line: String) { log.withLock { Console.error($0.warned(line, time: Self.now)) } }
}
