import CommandTable
import Engine
import Failure
import LinuxSystem

enum VersionVerb {
    static func perform(_ command: ParsedCommand) throws(Failure) -> Int32 {
        let value = TemplateValue.object([
            .init(
                "Client",
                .object([
                    .init("Version", .string(Build.version)),
                    .init("OCIRuntimeSpec", .string(Build.runtimeSpecVersion)),
                    .init("OCIImageSpec", .string(Build.imageSpecVersion)), .init("Os", "linux"),
                    .init("Arch", .string(Build.architecture)),
                    .init("KernelVersion", .string(Build.kernelVersion())),
                ]))
        ])
        if let format = command.value(.format) {
            Console.out(try Template(format, escapes: false).text(of: value) + "\n")
            return 0
        }
        Console.out(
            """
            Client:
             Version:       \(Build.version)
             Runtime spec:  \(Build.runtimeSpecVersion)
             Image spec:    \(Build.imageSpecVersion)
             OS/Arch:       linux/\(Build.architecture)
             Kernel:        \(Build.kernelVersion())

            """)
        return 0
    }
}

enum InfoVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let info = try engine.info()
        if let format = command.value(.format) {
            let fields = info.map {
                TemplateValue.Field($0.key, $0.number.map { .integer($0) } ?? .string($0.text))
            }
            Console.out(try Template(format, escapes: false).text(of: .object(fields)) + "\n")
            return 0
        }
        for line in info { Console.out("\(line.label): \(line.text)\n") }
        return 0
    }
}

enum CompletionVerb {
    static func perform(_ command: ParsedCommand) throws(Failure) -> Int32 {
        guard let shell = ShellCompletion(rawValue: command.positionals[0]) else {
            throw Failure(
                .invalidArgument, "no completion for the shell \"\(command.positionals[0])\"",
                hint: "there is one for bash, zsh and fish")
        }
        Console.out(shell.script)
        return 0
    }
}

/// What ctr starts itself for. The words are its own; nobody types them.
enum InternalVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let words = command.positionals
        switch (words[0], words.dropFirst().first) {
        case ("__restart", .some(let id)): try engine.relaunch(id)
        case ("__remove", .some(let id)): try engine.removeEnded(id)
        case ("__detach", .some(let id)): try engine.detachEnded(id)
        case ("__balance", .some(let id)): try engine.rebalance(id)
        case ("__empty-trash", nil): try engine.emptyTrash()
        default:
            throw Failure(.invalidArgument, "unknown command: ctr \(words[0])", hint: "See 'ctr --help'.")
        }
        return 0
    }
}
