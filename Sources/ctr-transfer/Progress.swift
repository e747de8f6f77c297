import BuildScreen
import LinuxSystem
import Synchronization
import Transfers

/// How transfers are shown.
enum Progress {
    /// Bars on a terminal, lines elsewhere, nothing when asked to be quiet. All of it is talk: it goes to stderr.
    static func chosen(quiet: Bool) -> any TransferProgress {
        if quiet { return SilentProgress() }
        return Terminal.isTerminal(2) ? ProgressBars() : ProgressLines()
    }

    static func words(_ state: TransferState) -> String {
        switch state {
        case .waiting: "Waiting"
        case .downloading: "Downloading"
        case .verifying: "Verifying Checksum"
        case .extracting: "Extracting"
        case .pulled: "Pull complete"
        case .exists: "Already exists"
        case .compressing: "Compressing"
        case .compressed: "Compressed"
        case .pushing: "Pushing"
        case .pushed: "Pushed"
        }
    }
}

/// A line a change of state: for logs and pipes.
final class ProgressLines: TransferProgress {
    private let shown = Mutex<[String: String]>([:])

    func note(_ line: String) { Console.error(line + "\n") }

    func begin(_ parts: [String]) { shown.withLock { $0 = [:] } }

    func report(_ part: String, _ state: TransferState) {
        let words = Progress.words(state)
        let isNew = shown.withLock { $0.updateValue(words, forKey: part) != words }
        if isNew { Console.error("\(part): \(words)\n") }
    }

    func end() {}
}

/// A line a part, redrawn in place. The lines stay where they end.
final class ProgressBars: TransferProgress {
    private struct State {
        var parts: [String] = []
        var states: [String: TransferState] = [:]
        var redraw = Redraw()
        /// Monotonic, of the last redraw.
        var last: ContinuousClock.Instant?
    }

    private let state = Mutex(State())

    func note(_ line: String) { Console.error(line + "\n") }

    func begin(_ parts: [String]) {
        state.withLock { state in
            state = State(parts: parts)
            draw(&state)
        }
    }

    func report(_ part: String, _ new: TransferState) {
        state.withLock { state in
            let former = state.states.updateValue(new, forKey: part)
            let now = ContinuousClock.now
            // Bytes arrive thousands of times a second; nobody reads that.
            let isStep = former.map(Progress.words) != Progress.words(new)
            if !isStep, let last = state.last, now - last < .milliseconds(100) { return }
            state.last = now
            draw(&state)
        }
    }

    func end() { state.withLock { $0 = State() } }

    private func draw(_ state: inout State) {
        let size = ScreenSize.ofStandardError
        // What has scrolled off the screen cannot be reached: the last parts are shown.
        let lines = state.parts.suffix(max(1, size.rows - 1)).map { part in
            let line = ProgressBars.line(state.states[part], columns: size.columns - part.count - 3)
            return ScreenLine(TextWidth.cut("\(part): \(line)", to: size.columns))
        }
        Console.error(state.redraw.text(lines, columns: size.columns, colors: false))
    }

    private static func line(_ state: TransferState?, columns: Int) -> String {
        guard let state else { return "Pulling fs layer" }
        let words = Progress.words(state)
        guard case (let done, let whole)? = amount(state), whole > 0 else {
            return String(words.prefix(columns))
        }
        let numbers = " \(megabytes(done))/\(megabytes(whole))"
        let width = min(50, columns - words.count - numbers.count - 4)
        guard width >= 5 else { return String((words + numbers).prefix(columns)) }
        let filled = Int(min(done, whole) * Int64(width) / whole)
        let bar = String(repeating: "=", count: max(0, filled - 1)) + (filled > 0 ? ">" : "")
        return "\(words) [\(bar)\(String(repeating: " ", count: width - bar.count))]\(numbers)"
    }

    private static func amount(_ state: TransferState) -> (Int64, Int64)? {
        switch state {
        case .downloading(let done, let whole), .compressing(let done, let whole),
            .pushing(let done, let whole):
            (done, whole)
        default: nil
        }
    }

    private static func megabytes(_ bytes: Int64) -> String {
        if bytes < 1_000_000 { return "\(bytes / 1000)kB" }
        return "\(bytes / 1_000_000).\(bytes / 100_000 % 10)MB"
    }
}
