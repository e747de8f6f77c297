import Engine
import Failure
import Front
import LinuxSystem

/// ctr-transfer: the program that reads registries and archives, beside this one or in ../libexec/ctr.
struct TransferProgram: ImageProvider {
    /// For the verbs that are its own: the same words, the same terminal, its exit code.
    static func become(_ arguments: [String]) throws(Failure) -> Never {
        try Program.enterNamespaces()
        let program = try open()
        try during("start ctr-transfer") { () throws(SystemError) in
            try Process.become(
                program: program, arguments: ["ctr"] + arguments, environment: Process.environment)
        }
    }

    func provide(_ need: ImageNeed, for engine: Engine) throws(Failure) {
        let program = try TransferProgram.open()
        let words = ["__provide", need.kind.rawValue, need.quiet ? "quiet" : "loud", need.name]
        let status = try during("start ctr-transfer") { () throws(SystemError) in
            // In this session: an interrupt from the terminal ends both.
            let child = try Process.spawn(
                program: program,
                arguments: engine.programArguments + words + (need.platform.map { [$0] } ?? []),
                environment: Process.environment, error: 2, newSession: false)
            return try Process.reap(child)?.status ?? -1
        }
        let code = Process.exitCode(ofStatus: status)
        guard code == 0 else {
            let failure = "the image \(need.name) could not be brought"
            // One that was killed has told nothing.
            throw code < 128
                ? Failure(.unavailable, failure, cause: ToldAlready())
                : Failure(.unavailable, "\(failure): ctr-transfer was ended by signal \(code - 128)")
        }
    }

    private static func open() throws(Failure) -> FileDescriptor {
        try Engine.programBeside("ctr-transfer")
    }
}
