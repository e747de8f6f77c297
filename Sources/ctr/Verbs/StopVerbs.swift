import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

/// stop, restart, kill, rm, wait, rename: they act on containers by name, one line each when done.
enum StopVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try acting(on: command, engine) { (records, report) throws(Failure) in
            engine.stop(
                records, signal: try command.signal, timeout: command.integer(.timeout),
                notice: { Program.report($0, verb: command.verb, debug: false) }, report: report)
        }
    }

    /// Looks all names up first, so that many containers are worked on side by side; prints each word when its
    /// container is done, reports each that failed.
    static func acting(
        on command: ParsedCommand, _ engine: Engine,
        _ body: ([ContainerRecord], (ContainerRecord, Failure?) -> Void) throws(Failure) -> Void
    ) throws(Failure) -> Int32 {
        var code: Int32 = 0
        var words: [String: String] = [:]
        var records: [ContainerRecord] = []
        for word in command.positionals {
            do throws(Failure) {
                let record = try engine.container(word)
                if words.updateValue(word, forKey: record.id) == nil { records.append(record) }
            } catch {
                if error.code == .notFound, command.verb == .rm, command.flag(.force) { continue }
                Program.report(error, verb: command.verb, debug: command.flag(.debug))
                code = 1
            }
        }
        try body(records) { record, failure in
            if let failure {
                Program.report(failure, verb: command.verb, debug: command.flag(.debug))
                code = 1
            } else {
                Console.out((words[record.id] ?? record.id) + "\n")
            }
        }
        return code
    }
}

enum RestartVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try StopVerb.acting(on: command, engine) { (records, report) throws(Failure) in
            engine.restart(
                records, signal: try command.signal, timeout: command.integer(.timeout),
                notice: { Program.report($0, verb: command.verb, debug: false) }, report: report)
        }
    }
}

enum KillVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let signal = try command.signal ?? 9
        return Program.each(command.positionals, verb: .kill, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            try engine.kill(try engine.container(word), signal: signal)
            Console.out(word + "\n")
        }
    }
}

enum RemoveVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try StopVerb.acting(on: command, engine) { (records, report) throws(Failure) in
            engine.remove(
                records, force: command.flag(.force), volumes: command.flag(.volumes), report: report)
        }
    }
}

enum WaitVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        Program.each(command.positionals, verb: .wait, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            Console.out("\(try engine.wait(for: try engine.container(word)))\n")
            Console.flush()
        }
    }
}

enum RenameVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try engine.rename(try engine.container(command.positionals[0]), to: command.positionals[1])
        return 0
    }
}

extension ParsedCommand {
    /// --signal as a number.
    fileprivate var signal: Int32? {
        get throws(Failure) {
            try parsed(.signal) { (text) throws(Failure) in try SignalName.parse(text) }
        }
    }
}
