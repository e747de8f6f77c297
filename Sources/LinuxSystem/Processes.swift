internal import CLinux
internal import Glibc

/// A process by pid and start time: a pid alone may be another's by now (proc(5), stat field 22).
package struct ProcessIdentity: Sendable, Hashable {
    package let pid: Int32
    /// Clock ticks since boot.
    package let startTime: UInt64

    package init(pid: Int32, startTime: UInt64) {
        self.pid = pid
        self.startTime = startTime
    }

    /// nil where there is no such process.
    package init?(running pid: Int32) {
        guard let seen = ProcessIdentity.look(pid) else { return nil }
        self.init(pid: pid, startTime: seen.startTime)
    }

    /// This process's parent; nil where the process is gone.
    package var parent: Int32? {
        guard let seen = ProcessIdentity.look(pid), seen.startTime == startTime else { return nil }
        return seen.parent
    }

    /// Fields 4 and 22 of proc(5)'s stat; nil where there is no such process or a dead one.
    private static func look(_ pid: Int32) -> (parent: Int32, startTime: UInt64)? {
        guard let file = try? FileDescriptor.open("/proc/\(pid)/stat", [.readOnly]) else { return nil }
        // One read has the whole line: a listing asks this of every container.
        return withUnsafeTemporaryAllocation(byteCount: 2048, alignment: 1) { buffer in
            guard let size = try? file.read(into: buffer) else { return nil }
            return parse(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
        }
    }

    private static func parse(_ line: UnsafeRawBufferPointer) -> (parent: Int32, startTime: UInt64)? {
        // After the command's closing parenthesis field 3 follows.
        guard let text = line.lastIndex(of: UInt8(ascii: ")")), text + 2 < line.count else { return nil }
        let state = line[text + 2]
        guard state != UInt8(ascii: "Z"), state != UInt8(ascii: "X") else { return nil }
        var field = 3
        var parent: Int32 = 0
        var start: UInt64 = 0
        for byte in line[(text + 2)...] {
            if byte == UInt8(ascii: " ") {
                field += 1
                if field > 22 { return (parent, start) }
            } else if field == 4 {
                parent = parent &* 10 &+ Int32(byte &- UInt8(ascii: "0"))
            } else if field == 22 {
                start = start &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
            }
        }
        return nil
    }

    package var isAlive: Bool { ProcessIdentity(running: pid) == self }

    /// A pidfd that surely names this process: opened, then compared. nil where it is gone.
    package func open() throws(SystemError) -> FileDescriptor? {
        let raw: Int
        do throws(SystemError) {
            raw = try call("pidfd_open") { ctr_pidfd_open(pid, 0) }
        } catch {
            if error.errno == ESRCH { return nil }
            throw error
        }
        let descriptor = FileDescriptor(owning: Int32(raw))
        if isAlive { return descriptor }
        return nil
    }
}

package enum Process {
    /// Sends a signal by pidfd; answers false where the process is gone.
    @discardableResult
    package static func signal(_ signal: Int32, to pidfd: borrowing FileDescriptor) throws(SystemError)
        -> Bool
    {
        let number = pidfd.raw
        do throws(SystemError) {
            try call("pidfd_send_signal") { ctr_pidfd_send_signal(number, signal) }
            return true
        } catch {
            if error.errno == ESRCH { return false }
            throw error
        }
    }

    /// Waits until the process behind the pidfd has ended; false when the time is over first.
    package static func waitForExit(_ pidfd: borrowing FileDescriptor, milliseconds: Int32 = -1)
        throws(SystemError) -> Bool
    {
        var entry = ctr_pollfd(fd: pidfd.raw, events: Int16(POLLIN), revents: 0)
        return try call("poll") { ctr_poll(&entry, 1, milliseconds) } > 0
    }

    /// The wait status of a child that has ended; nil when `options` has WNOHANG and none has.
    package static func reap(_ pid: Int32, options: Int32 = 0) throws(SystemError) -> (
        pid: Int32, status: Int32
    )? {
        var status: Int32 = 0
        let got = try call("wait4") { ctr_wait4(pid, &status, options) }
        return got == 0 ? nil : (Int32(got), status)
    }

    /// docker's exit code of a wait status: the code, or 128 plus the signal.
    package static func exitCode(ofStatus status: Int32) -> Int32 {
        status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
    }

    /// Starts a program in a new session, cwd `/`, with just these descriptors: stdio (-1 for /dev/null) and
    /// `passed` as 3, 4, …; nil as `umask` is this process's own.
    package static func spawn(
        program: borrowing FileDescriptor, arguments: [String], environment: [String], input: Int32 = -1,
        output: Int32 = -1, error: Int32 = -1, passed: [Int32] = [], newSession: Bool = true,
        umask: UInt32? = nil
    ) throws(SystemError) -> Int32 {
        let number = program.raw
        return try withCStrings(arguments) { (argv) throws(SystemError) in
            try withCStrings(environment) { (envp) throws(SystemError) in
                Int32(
                    try call("spawn", arguments.first) {
                        ctr_spawn(
                            number, "", argv, envp, input, output, error, passed, Int32(passed.count),
                            newSession ? 1 : 0, umask.map { Int32($0 & 0o777) } ?? -1)
                    })
            }
        }
    }

    /// Becomes the program (execveat(2)); returns only to throw.
    package static func become(
        program: borrowing FileDescriptor, arguments: [String], environment: [String]
    ) throws(SystemError) -> Never {
        let number = program.raw
        try withCStrings(arguments) { (argv) throws(SystemError) in
            try withCStrings(environment) { (envp) throws(SystemError) in
                _ = try call("execveat", arguments.first) {
                    ctr_execveat(number, "", argv, envp, CTR_AT_EMPTY_PATH)
                }
            }
        }
        preconditionFailure("execveat returned without an error")
    }

    /// This process's environment as NAME=VALUE.
    package static var environment: [String] {
        var all: [String] = []
        var at = environ
        while let entry = at.pointee {
            all.append(String(cString: entry))
            at += 1
        }
        return all
    }

    package static func environmentValue(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }

    package static var isRoot: Bool { ctr_geteuid() == 0 }
    package static var effectiveUID: UInt32 { ctr_geteuid() }
    package static var effectiveGID: UInt32 { ctr_getegid() }

    package static func pid() -> Int32 { getpid() }

    package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }

    /// The boot's id: state of an earlier boot says nothing about processes of this one.
    package static func bootID() -> String { ownBootID }

    private static let ownBootID: String = {
        let bytes = (try? AtomicFile.read("/proc/sys/kernel/random/boot_id", limit: 64)) ?? nil
        return String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }()

    /// The program that runs now, or one beside it, opened for execveat; never looked up in PATH.
    package static func openSibling(_ name: String) throws(SystemError) -> FileDescriptor {
        let own = try Directory.readLink("/proc/self/exe")
        let folder = own.bytes.prefix(upTo: own.bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0)
        return try FileDescriptor.open(RawPath(folder + Array("/\(name)".utf8)), [.pathOnly])
    }

    /// The file this program runs from.
    package static func openSelf() throws(SystemError) -> FileDescriptor {
        try FileDescriptor.open("/proc/self/exe", [.pathOnly])
    }
}

/// A NULL-terminated vector of C strings for the call's time.
package func withCStrings<R, E: Error>(
    _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) throws(E) -> R
) throws(E) -> R {
    var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
    defer { pointers.forEach { free($0) } }
    pointers.append(nil)
    let copy = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: pointers.count)
    defer { copy.deallocate() }
    copy.initialize(from: pointers, count: pointers.count)
    return try body(UnsafePointer(copy))
}
