import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

enum SystemBootVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        var code: Int32 = 0
        try engine.boot { record, failure in
            if let failure {
                Program.report(
                    failure.within("start \(record.name)"), verb: command.verb, debug: command.flag(.debug))
                code = 1
            } else {
                Console.out(record.name + "\n")
            }
        }
        return code
    }
}

enum SystemInstallVerb {
    static func perform(_ command: ParsedCommand) throws(Failure) -> Int32 {
        let unit = try BootUnit(command)
        for line in try unit.install() { Console.out(line + "\n") }
        Console.out("\n" + unit.text)
        return 0
    }
}

enum SystemUninstallVerb {
    static func perform(_ command: ParsedCommand) throws(Failure) -> Int32 {
        for line in try BootUnit(command).uninstall() { Console.out(line + "\n") }
        return 0
    }
}

extension BootUnit {
    fileprivate init(_ command: ParsedCommand) throws(Failure) {
        try self.init(
            root: command.value(.root), runRoot: command.value(.runRoot), isUsers: command.flag(.user))
    }
}
