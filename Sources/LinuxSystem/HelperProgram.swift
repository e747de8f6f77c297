package import Failure

/// A program of the host that ctr asks for something: git, a credential helper.
package struct HelperProgram: Sendable {
    /// Where a shell looks that has no PATH.
    package static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    package let path: String

    /// The first executable file of that name in `searched` (PATH's form), as a shell would find it; nil where there is
    /// none. Relative entries are passed over: where ctr was started must not choose a program.
    package static func find(_ name: String, in searched: String?) -> HelperProgram? {
        for directory in (searched ?? standardPath).split(separator: ":") where directory.hasPrefix("/") {
            let path = "\(directory)/\(name)"
            guard let file = try? FileDescriptor.open(path, [.pathOnly]), let status = try? file.status(),
                status.kind == .file, status.permissions & 0o111 != 0
            else { continue }
            return HelperProgram(path: path)
        }
        return nil
    }

    package struct Outcome: Sendable {
        package var code: Int32
        package var output: [UInt8]
        /// The last 64 KiB of what was written to stderr.
        package var complaints: [UInt8]
    }

    /// Runs it in this session, so that an interrupt of the terminal ends it too, and waits.
    /// - Parameters:
    ///   - limit: more output than this is an error.
    ///   - keepsComplaints: otherwise stderr goes to /dev/null.
    package func run(
        _ arguments: [String], environment: [String], input: [UInt8] = [], limit: Int = 1 << 20,
        keepsComplaints: Bool = false, umask: UInt32? = nil
    ) throws(Failure) -> Outcome {
        try during("run \(path)") { () throws(SystemError) in
            // Files, not pipes: a helper that ends without reading must not end us by SIGPIPE, and none of the three
            // streams waits for another.
            let question = try FileDescriptor.memory("question")
            try question.write(input)
            try question.seek(to: 0)
            let answer = try FileDescriptor.memory("answer")
            let complaints = try FileDescriptor.memory("complaints")
            // A helper may be a script, whose interpreter could not open it by a descriptor that is closed at exec.
            let env = try FileDescriptor.open("/usr/bin/env", [.pathOnly])
            let pid = try Process.spawn(
                program: env, arguments: ["env", path] + arguments, environment: environment,
                input: question.raw, output: answer.raw, error: keepsComplaints ? complaints.raw : -1,
                newSession: false, umask: umask)
            let status = try Process.reap(pid)?.status ?? 0
            // Opened anew, with offsets of their own: what the helper started and left behind may still write.
            let output = try FileDescriptor.open("/proc/self/fd/\(answer.raw)")
            let last = try FileDescriptor.open("/proc/self/fd/\(complaints.raw)")
            try last.seek(to: max(0, last.seek(to: 0, whence: 2) - 65536))
            return Outcome(
                code: Process.exitCode(ofStatus: status), output: try output.readAll(limit: limit),
                // It may have grown since: that is not too much.
                complaints: try last.readAll(limit: 1 << 20))
        }
    }
}
