import Build
import BuildScreen
import Failure
import LinuxSystem
import Synchronization

/// A picture that a thread of its own redraws in place: steps that write thousands of lines a second wait for no
/// terminal.
final class TerminalBuildProgress: BuildProgress {
    private struct State {
        var picture: BuildPicture
        var failed = FailedSteps(filters: true)
        var warnings: [String] = []
        var isChanged = true
    }

    private let state = Mutex(State(picture: BuildPicture(at: monotonicNanoseconds())))
    private let redraw = Mutex(Redraw())
    private let colors: Bool
    /// Readable at the build's end.
    private let over: (read: SharedFileDescriptor, write: SharedFileDescriptor)?
    private let thread = Mutex<Thread?>(nil)

    init(colors: Bool) {
        self.colors = colors
        if let pipe = try? FileDescriptor.pipe(), let read = try? pipe.first.duplicate(),
            let write = try? pipe.second.duplicate()
        {
            over = (SharedFileDescriptor(read), SharedFileDescriptor(write))
        } else {
            over = nil
        }
        // Without a thread the last picture is all there is.
        let drawing = try? Thread("display") { [self] in draw() }
        thread.withLock { $0 = drawing }
    }

    private func change(_ body: (inout State, Int64) -> Void) {
        let now = monotonicNanoseconds()
        state.withLock { state in
            body(&state, now)
            state.isChanged = true
        }
    }

    func began(_ step: Int, _ name: String) {
        change { state, now in
            state.picture.began(step, name, at: now)
            state.failed.began(step, name, at: now)
        }
    }

    func wrote(_ step: Int, _ bytes: [UInt8]) {
        change { state, now in
            state.picture.wrote(step, bytes, at: now)
            state.failed.wrote(step, bytes, at: now)
        }
    }

    func told(_ step: Int, _ line: String) { change { state, _ in state.picture.told(step, line) } }

    func ended(_ step: Int, _ end: BuildStepEnd) {
        change { state, now in
            state.picture.ended(step, end.shown, at: now)
            state.failed.ended(step, end.shown, at: now)
        }
    }

    func warned(_ line: String) { change { state, _ in state.warnings.append(line) } }

    // MARK: drawing

    private func draw() {
        guard let over else { return }
        var last: Int64 = 0
        while (try? FileDescriptor.wait(for: over.read.raw, milliseconds: 100)) == false {
            let now = monotonicNanoseconds()
            let size = ScreenSize.ofStandardError
            let lines: [ScreenLine]? = state.withLock { state in
                // The times go on while nothing happens.
                guard state.isChanged || now - last >= 1_000_000_000 else { return nil }
                state.isChanged = false
                return state.picture.lines(size, at: now)
            }
            guard let lines else { continue }
            last = now
            show(lines, size)
        }
    }

    private func show(_ lines: [ScreenLine], _ size: ScreenSize) {
        Console.error(redraw.withLock { $0.text(lines, columns: size.columns, colors: colors) })
    }

    func end(_ failure: Failure?) {
        if let over {
            _ = try? FileDescriptor.withBorrowed(over.write.raw) { (file) throws(SystemError) in
                try file.write("x")
            }
        }
        thread.withLock { $0.take() }?.join()
        let now = monotonicNanoseconds()
        let size = ScreenSize.ofStandardError
        let (lines, rest) = state.withLock { state in
            (
                state.picture.lastLines(size, at: now, isFinished: failure == nil),
                state.failed.text + BuildWarnings.text(state.warnings)
            )
        }
        show(lines, size)
        if !rest.isEmpty { Console.error(rest) }
    }
}

extension ScreenSize {
    static var ofStandardError: ScreenSize {
        let size = try? Terminal.size(2)
        return ScreenSize(rows: size.map { Int($0.rows) }, columns: size.map { Int($0.columns) })
    }
}
