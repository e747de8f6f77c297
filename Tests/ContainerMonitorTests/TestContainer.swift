import Failure
import Glibc
import LaunchPlan
import LinuxSystem
import Testing

@testable import ContainerMonitor

/// The built `ctr-monitor`: in CTR_BIN_DIR, or beside the tests.
let monitorProgram: String? = {
    var places: [String] = []
    if let directory = Process.environmentValue("CTR_BIN_DIR") { places.append(directory) }
    if let own = try? Directory.readLink("/proc/self/exe") {
        places.append(String(own.shown.prefix(upTo: own.shown.lastIndex(of: "/") ?? own.shown.startIndex)))
    }
    let checkout = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
    places += ["\(checkout)/.build/debug", "\(checkout)/.build/release"]
    return places.map { $0 + "/ctr-monitor" }.first { (try? FileDescriptor.exists($0)) ?? false }
}()

/// A container of busybox with a monitor of its own, from its directories to its end. Leaves nothing.
final class TestContainer {
    let root: TestRoot
    let base: String
    var plan: MonitorPlan
    var monitor: Int32 = 0

    var runDirectory: String { base + "/run" }
    var containerDirectory: String { base + "/container" }

    init(_ steps: [Step], terminal: Bool = false, configure: (inout MonitorPlan) -> Void = { _ in }) throws {
        root = try TestRoot()
        base = root.path + "-monitor"
        plan = MonitorPlan(
            mode: .container, containerID: "0123456789ab",
            launch: LaunchPlan(
                namespaces: TestRoot.namespaces, cgroup: [], steps: steps,
                slots: terminal
                    ? [.root, .terminal] : [.root, .standardInput, .standardOutput, .standardError]))
        plan.runDirectory = base + "/run"
        plan.containerDirectory = base + "/container"
        plan.terminal = terminal
        plan.log = .json(maximumSize: 0, maximumFiles: 1)
        configure(&plan)
        try Directory.ensurePath(runDirectory)
        try Directory.ensurePath(containerDirectory)
    }

    deinit {
        if monitor > 0 {
            if let state = try? RunState.read(runDirectory), let pidfd = (try? state.process.open()) ?? nil {
                _ = try? Process.signal(SIGKILL, to: pidfd)
            }
            _ = kill(monitor, SIGKILL)
            _ = try? Process.reap(monitor)
        }
        try? Directory.removeTree(base)
    }

    /// Spawns the monitor and sends it the plan; the launcher's end of the socket.
    func start() throws -> SharedFileDescriptor {
        let program = try FileDescriptor.open(try #require(monitorProgram), [.pathOnly])
        let pair = try UnixSocket.pair(.stream).shared()
        let lock = try FileLock(containerDirectory + "/lock", .exclusive)
        monitor = try Process.spawn(
            program: program, arguments: ["ctr-monitor"], environment: [],
            passed: [pair.second.raw, lock.raw])
        let mount = try DetachedMount(bind: root.path, recursive: false)
        try PlanTransport.send(
            plan.encoded(), version: LaunchPlan.version,
            slots: plan.launch.slots.map { $0 == .root ? mount.descriptor.raw : -1 },
            to: pair.first.raw)
        return pair.first
    }

    /// Waits for the monitor itself; its exit code.
    @discardableResult
    func waitForMonitor() throws -> Int32 {
        defer { monitor = 0 }
        return Process.exitCode(ofStatus: try Process.reap(monitor)?.status ?? -1)
    }

    func log() throws -> String {
        guard let bytes = try AtomicFile.read(containerDirectory + "/logs/000001.log") else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A client that speaks frames by hand.
final class TestClient {
    private let socket: SharedFileDescriptor
    private var reader = AttachFrameReader()
    var stdout = ""
    var stderr = ""
    var pid: Int32 = 0

    init(_ socket: SharedFileDescriptor) { self.socket = socket }
    init(_ socket: consuming FileDescriptor) { self.socket = SharedFileDescriptor(socket) }

    func send(_ frame: AttachFrame) throws { try UnixSocket.sendAll(frame.bytes, to: socket.raw) }

    func hello() throws { try send(.hello(version: AttachFrame.version, rows: 0, columns: 0)) }

    /// The next frame that is no output; nil at the end of the stream.
    func next(milliseconds: Int32 = 10_000) throws -> AttachFrame? {
        while true {
            while let frame = try reader.next() {
                switch frame {
                case .stdout(let bytes): stdout += String(decoding: bytes, as: UTF8.self)
                case .stderr(let bytes): stderr += String(decoding: bytes, as: UTF8.self)
                case .started(let pid):
                    self.pid = pid
                    return frame
                default: return frame
                }
            }
            guard try receive(milliseconds: milliseconds) else { return nil }
        }
    }

    private func receive(milliseconds: Int32) throws -> Bool {
        guard try FileDescriptor.wait(for: socket.raw, milliseconds: milliseconds) else { throw TimedOut() }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let size =
            try buffer.withUnsafeMutableBytes { try Launching.readAvailable(socket.raw, into: $0) } ?? 0
        buffer.withUnsafeBytes { reader.append(UnsafeRawBufferPointer(rebasing: $0[..<size])) }
        return size > 0
    }

    struct TimedOut: Error {}

    /// Reads until the output has the text.
    func waitForOutput(_ text: String) throws {
        while !stdout.contains(text) {
            while let frame = try reader.next() {
                if case .stdout(let bytes) = frame { stdout += String(decoding: bytes, as: UTF8.self) }
            }
            if stdout.contains(text) { return }
            guard try receive(milliseconds: 10_000) else { throw TimedOut() }
        }
    }
}

/// Waits for what another process does, up to ten seconds.
func eventually(_ condition: () throws -> Bool) throws {
    for _ in 0..<1000 {
        if try condition() { return }
        usleep(10_000)
    }
    Issue.record("it did not come in ten seconds")
}
