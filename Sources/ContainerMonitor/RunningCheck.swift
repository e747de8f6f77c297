internal import Failure
internal import LaunchPlan
internal import LinuxSystem

/// A health check that goes on: a copy of the monitor launches it by its plan, waits, and ends with its exit code. What the
/// launch may wait for (a frozen cgroup, a dead file system) it waits for there, and the monitor serves on.
struct RunningCheck {
    let worker: Int32
    /// Monotonic.
    var deadline: Int64
    /// Nanoseconds since 1970.
    let start: Int64
    let pipe: SharedFileDescriptor
    private(set) var output: [UInt8] = []
    private(set) var isCut = false

    /// Starts one of a container's process. The worker is this process's child.
    init(_ health: HealthCheck, of process: ProcessIdentity) throws(SystemError) {
        let ends = try FileDescriptor.pipe().shared()
        try Launching.setNonBlocking(ends.first.raw)
        let parent = Process.pid()
        worker = try Launching.fork()
        if worker == 0 {
            RunningCheck.work(health.plan, process, output: ends.second.raw, parent: parent)
        }
        pipe = ends.first
        start = Timestamp.now().nanosecondsSinceEpoch
        deadline = monotonicNanoseconds() + health.timeout
    }

    /// Takes what it has written by now; false at the end.
    mutating func read() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let number = pipe.raw
            let available = buffer.withUnsafeMutableBytes { bytes in
                (try? Launching.readAvailable(number, into: bytes)) ?? nil
            }
            guard let size = available else { return true }
            if size == 0 { return false }
            let room = HealthRecord.mostOutput - output.count
            if size > room { isCut = true }
            output += buffer[..<min(size, room)]
        }
    }

    /// As docker shows it.
    var text: String { String(decoding: output, as: UTF8.self) + (isCut ? "..." : "") }

    // MARK: the worker

    /// In the copy. How the launch failed is written where the check would write; then the end is a kill, which is no
    /// exit code of a check.
    private static func work(_ plan: [UInt8], _ process: ProcessIdentity, output: Int32, parent: Int32)
        -> Never
    {
        // With the monitor's locks and sockets it would keep alive what ends with the monitor.
        Launching.closeDescriptors(except: [output])
        guard Launching.endWithParent(parent) else { Process.exit(255) }
        var code: Int32 = -1
        do throws(LaunchFailure) {
            code = try launch(plan, process, output)
        } catch {
            let words = Array(error.failure.message.utf8)
            _ = try? words.withUnsafeBytes { (bytes) throws(SystemError) in
                try Launching.writeAvailable(output, bytes)
            }
        }
        if code < 0 { Launching.kill(Process.pid(), Signal.kill) }
        Process.exit(code)
    }

    private static func launch(
        _ bytes: [UInt8], _ process: ProcessIdentity, _ output: Int32
    ) throws(LaunchFailure) -> Int32 {
        var answer: Result<Int32, LaunchFailure> = .success(-1)
        bytes.withUnsafeBytes { buffer in
            do throws(LaunchFailure) {
                answer = .success(try launch(buffer, process, output))
            } catch {
                answer = .failure(error)
            }
        }
        return try answer.get()
    }

    private static func launch(
        _ bytes: UnsafeRawBufferPointer, _ process: ProcessIdentity, _ output: Int32
    ) throws(LaunchFailure) -> Int32 {
        do throws(Failure) {
            let file = try PlanFile(bytes)
            let plan = try file.plan(withSteps: false).launch
            let null = try during("open /dev/null") { () throws(SystemError) in
                SharedFileDescriptor(try FileDescriptor.open("/dev/null", [.readOnly]))
            }
            let opened = try during("open the container's process") { () throws(SystemError) in
                try process.open()?.release()
            }
            guard let opened else { throw Failure(.conflict, "the container is not running") }
            let pidfd = SharedFileDescriptor(FileDescriptor(owning: opened))
            var numbers: [Int32] = []
            var files: [SharedFileDescriptor] = []
            for source in plan.slots {
                switch source {
                case .standardInput: numbers.append(null.raw)
                case .standardOutput, .standardError: numbers.append(output)
                case .containerPIDFD: numbers.append(pidfd.raw)
                case .file(let path):
                    let file = try during("open \(path)") { () throws(SystemError) in
                        SharedFileDescriptor(try FileDescriptor.open(path))
                    }
                    files.append(file)
                    numbers.append(file.raw)
                default: numbers.append(-1)
                }
            }
            return try run(bytes, file, plan, numbers, files)
        } catch {
            throw LaunchFailure(error)
        }
    }

    private static func run(
        _ bytes: UnsafeRawBufferPointer, _ file: PlanFile, _ plan: LaunchPlan, _ numbers: [Int32],
        _ files: [SharedFileDescriptor]
    ) throws(Failure) -> Int32 {
        var launcher = Launcher(bytes, file, plan, slots: numbers)
        do throws(LaunchFailure) {
            let launched = try launcher.launch()
            _ = files.count
            let ended = (try? Process.reap(launched.pid)) ?? nil
            return ended.map { Process.exitCode(ofStatus: $0.status) } ?? 255
        } catch {
            throw error.failure
        }
    }
}
