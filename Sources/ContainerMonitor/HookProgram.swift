internal import CContainerInit
package import Failure
internal import LinuxSystem

/// A program that OCI wants run in the runtime's namespaces.
package enum HookProgram {
    /// Runs it and waits.
    /// - Parameters:
    ///   - arguments: as for execv: the first is the program's name.
    ///   - milliseconds: then it is killed; 0 for no limit.
    /// - Throws: with what it wrote, where it ends badly.
    package static func run(
        _ path: String, arguments: [String], environment: [String], input: [UInt8], milliseconds: UInt64
    ) throws(Failure) {
        var status: Int32 = 0
        var words = ""
        var isLate = false
        try during("run the hook \(path)") { () throws(SystemError) in
            let question = try FileDescriptor.memory("state")
            try question.write(input)
            try question.seek(to: 0)
            let answer = try FileDescriptor.memory("answer")
            let result = withCStrings(arguments) { argv in
                withCStrings(environment) { envp in
                    let argv = UnsafeRawPointer(argv).assumingMemoryBound(to: UnsafePointer<CChar>?.self)
                    let envp = UnsafeRawPointer(envp).assumingMemoryBound(to: UnsafePointer<CChar>?.self)
                    return ctr_init_run_hook(
                        path, argv, envp, question.raw, answer.raw, milliseconds, &status)
                }
            }
            isLate = result == -Int(Errno.timedOut)
            if result < 0, !isLate { throw SystemError(call: "execve", path: path, errno: Int32(-result)) }
            try answer.seek(to: 0)
            words = String(decoding: try answer.readAll(limit: 1 << 20).suffix(4096), as: UTF8.self)
        }
        guard status != 0 || isLate else { return }
        words = words.split(whereSeparator: \.isNewline).joined(separator: "; ")
        let how =
            isLate
            ? "it took too long and was killed"
            : status & 0x7f == 0 ? "exit status \(status >> 8 & 0xff)" : "killed by signal \(status & 0x7f)"
        throw Failure(.internal, "run the hook \(path): \(how)\(words.isEmpty ? "" : ", \(words)")")
    }
}
