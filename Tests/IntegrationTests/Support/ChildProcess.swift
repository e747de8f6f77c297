import Foundation
import Testing

/// What a finished program left.
struct Outcome: CustomStringConvertible {
    var command: [String]
    var output: [UInt8]
    var errors: [UInt8]
    /// The exit code, or 128 plus the signal.
    var code: Int32
    var timedOut: Bool

    var stdout: String { String(decoding: output, as: UTF8.self) }
    var stderr: String { String(decoding: errors, as: UTF8.self) }
    /// stdout without the white space around it.
    var text: String { stdout.trimmingCharacters(in: .whitespacesAndNewlines) }
    var lines: [String] { text.isEmpty ? [] : text.components(separatedBy: "\n") }

    var description: String {
        """
        \(command.joined(separator: " "))
        exit code \(code)\(timedOut ? " (killed: out of time)" : "")
        stdout: \(stdout.prefix(2000))
        stderr: \(stderr.prefix(2000))
        """
    }
}

struct TestFailure: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// A child of the test with its stdio on pipes, or on a terminal (see ``TerminalSession``).
final class ChildProcess {
    let command: [String]
    let pid: pid_t
    private(set) var output: [UInt8] = []
    private(set) var errors: [UInt8] = []
    private var input: Int32
    private var outputEnd: Int32
    private var errorEnd: Int32
    private var status: Int32?

    /// Descriptors are made and spawned with under one lock, so that no child inherits another child's pipe: its reader
    /// would then wait for a stranger's end.
    private static let spawning = NSLock()

    init(
        _ command: [String], input text: [UInt8]? = nil, keepInputOpen: Bool = false,
        environment: [String: String] = [:]
    ) throws {
        self.command = command
        Self.spawning.lock()
        defer { Self.spawning.unlock() }
        let inward = try Self.makePipe()
        let outward = try Self.makePipe()
        let errorward = try Self.makePipe()
        defer { for end in [inward.read, outward.write, errorward.write] { close(end) } }
        pid = try Self.spawn(command, environment: environment) { actions in
            posix_spawn_file_actions_adddup2(&actions, inward.read, 0)
            posix_spawn_file_actions_adddup2(&actions, outward.write, 1)
            posix_spawn_file_actions_adddup2(&actions, errorward.write, 2)
        }
        input = inward.write
        outputEnd = outward.read
        errorEnd = errorward.read
        for end in [input, outputEnd, errorEnd] { Self.setNonBlocking(end) }
        pending = text ?? []
        self.keepInputOpen = keepInputOpen
    }

    /// On the other side of a terminal: session leader, the terminal its controlling one.
    init(_ command: [String], terminal path: String, master: Int32, environment: [String: String]) throws {
        self.command = command
        Self.spawning.lock()
        defer { Self.spawning.unlock() }
        pid = try Self.spawn(command, environment: environment, newSession: true) { actions in
            posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
            posix_spawn_file_actions_adddup2(&actions, 0, 1)
            posix_spawn_file_actions_adddup2(&actions, 0, 2)
        }
        input = -1
        errorEnd = -1
        outputEnd = dup(master)
        _ = fcntl(outputEnd, F_SETFD, FD_CLOEXEC)
        Self.setNonBlocking(outputEnd)
        keepInputOpen = true
        pending = []
    }

    deinit {
        for end in [input, outputEnd, errorEnd] where end >= 0 { close(end) }
        if status == nil {
            kill(pid, SIGKILL)
            var ignored: Int32 = 0
            waitpid(pid, &ignored, 0)
        }
    }

    private var pending: [UInt8]
    private var keepInputOpen: Bool

    func send(_ text: String) { pending += Array(text.utf8) }
    func closeInput() { keepInputOpen = false }
    func signal(_ number: Int32) { if status == nil { kill(pid, number) } }

    var stdout: String { String(decoding: output, as: UTF8.self) }
    var stderr: String { String(decoding: errors, as: UTF8.self) }

    /// The exit code once it has ended, else nil.
    func poll() -> Int32? {
        if let status { return Self.exitCode(status) }
        var raw: Int32 = 0
        guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
        status = raw
        return Self.exitCode(raw)
    }

    /// Moves bytes both ways until `done`, both outputs have ended, or the time is over; false in the last two cases.
    @discardableResult
    func pump(until deadline: Date, _ done: () -> Bool) -> Bool {
        while !done() {
            if Date() >= deadline { return false }
            if pending.isEmpty, !keepInputOpen, input >= 0 {
                close(input)
                input = -1
            }
            if outputEnd < 0, errorEnd < 0 { return done() }
            var ends = [
                pollfd(fd: outputEnd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: errorEnd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pending.isEmpty ? -1 : input, events: Int16(POLLOUT), revents: 0),
            ]
            _ = Glibc.poll(&ends, 3, 20)
            if ends[0].revents != 0 { outputEnd = Self.drain(outputEnd, into: &output) }
            if ends[1].revents != 0 { errorEnd = Self.drain(errorEnd, into: &errors) }
            if ends[2].revents != 0 { writePending() }
        }
        return true
    }

    /// Waits for the output to contain `text`.
    func waitFor(_ text: String, timeout: Double = 20) throws {
        let wanted = Array(text.utf8)
        guard pump(until: Date() + timeout, { output.contains(wanted) }) else {
            throw TestFailure(
                "no \"\(text)\" in \(timeout) s from \(command.joined(separator: " ")):\n\(stdout)\n\(stderr)"
            )
        }
    }

    /// Waits for its end and for the end of both outputs: a program that leaves a descendant with its stdout is caught here.
    func finish(timeout: Double = 60) -> Outcome {
        let deadline = Date() + timeout
        var timedOut = false
        pump(until: deadline) { false }
        while poll() == nil {
            if Date() >= deadline {
                timedOut = true
                kill(pid, SIGKILL)
                while poll() == nil { usleep(1000) }
                break
            }
            usleep(1000)
        }
        if outputEnd >= 0 || errorEnd >= 0, Date() >= deadline { timedOut = true }
        return Outcome(
            command: command, output: output, errors: errors, code: poll() ?? -1, timedOut: timedOut)
    }

    private func writePending() {
        let count = pending.withUnsafeBytes { write(input, $0.baseAddress, $0.count) }
        if count > 0 {
            pending.removeFirst(count)
        } else if count < 0, errno != EAGAIN {
            pending = []
            keepInputOpen = false
        }
    }

    private static func drain(_ end: Int32, into bytes: inout [UInt8]) -> Int32 {
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(end, &buffer, buffer.count)
            if count > 0 {
                bytes += buffer[..<count]
            } else if count < 0, errno == EAGAIN || errno == EINTR {
                return end
            } else {
                close(end)
                return -1
            }
        }
    }

    private static func exitCode(_ status: Int32) -> Int32 {
        status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    private static func makePipe() throws -> (read: Int32, write: Int32) {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw TestFailure("pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func setNonBlocking(_ end: Int32) {
        _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
    }

    private static func spawn(
        _ command: [String], environment: [String: String], newSession: Bool = false,
        _ descriptors: (inout posix_spawn_file_actions_t) -> Void
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        descriptors(&actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var ordinary = sigset_t()
        sigfillset(&ordinary)
        posix_spawnattr_setsigdefault(&attributes, &ordinary)
        let POSIX_SPAWN_SETSID = 0x80
        posix_spawnattr_setflags(
            &attributes,
            Int16(
                Int(POSIX_SPAWN_SETSIGMASK) | Int(POSIX_SPAWN_SETSIGDEF)
                    | (newSession ? POSIX_SPAWN_SETSID : 0)))
        var child: pid_t = 0
        let words = command.map { strdup($0) } + [nil]
        let settings = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + settings { free(text) } }
        let code = posix_spawn(&child, command[0], &actions, &attributes, words, settings)
        guard code == 0 else { throw TestFailure("cannot start \(command[0]): errno \(code)") }
        return child
    }
}

extension Array where Element == UInt8 {
    func contains(_ part: [UInt8]) -> Bool { firstRange(of: part) != nil }
}
