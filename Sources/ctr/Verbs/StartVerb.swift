import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

enum StartVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let attached = command.flag(.attach) || command.flag(.interactive)
        guard attached else {
            return Program.each(command.positionals, verb: .start, debug: command.flag(.debug)) {
                (word) throws(Failure) in
                try engine.start(try engine.container(word))
                Console.out(word + "\n")
            }
        }
        guard command.positionals.count == 1 else {
            throw Failure(.invalidArgument, "you cannot start and attach multiple containers at once")
        }
        let record = try engine.container(command.positionals[0])
        return try engine.startAttached(
            record,
            Attachment(
                stdin: command.flag(.interactive) && record.settings.openStdin, stdout: true, stderr: true,
                detachKeys: try DetachKeys.chosen(command), proxiesSignals: true))
    }
}

enum AttachVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let record = try engine.container(command.positionals[0])
        return try engine.attach(
            record,
            Attachment(
                stdin: !command.flag(.noStdin) && record.settings.openStdin, stdout: true, stderr: true,
                detachKeys: try DetachKeys.chosen(command), proxiesSignals: command.flag(.sigProxy)))
    }
}
