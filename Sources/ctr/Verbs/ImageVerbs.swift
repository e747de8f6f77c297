import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

enum TagVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try engine.tag(command.positionals[0], as: command.positionals[1])
        return 0
    }
}

enum RemoveImageVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        defer { engine.emptyTrashInBackground() }
        return Program.each(command.positionals, verb: .rmi, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            do throws(Failure) {
                for line in try engine.removeImage(word, force: command.flag(.force)) {
                    Console.out(line + "\n")
                }
            } catch {
                if error.code == .notFound, command.flag(.force) { return }
                throw error
            }
        }
    }
}

enum ImagePruneVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let all = command.flag(.all)
        let warning =
            all
            ? "This will remove all images without at least one container associated to them."
            : "This will remove all dangling images."
        guard command.flag(.force) || Confirmation.ask("WARNING! \(warning)") else { return 0 }
        defer { engine.emptyTrashInBackground() }
        let outcome = try engine.pruneImages(all: all)
        if !outcome.lines.isEmpty {
            Console.out("Deleted Images:\n" + outcome.lines.joined(separator: "\n") + "\n\n")
        }
        Console.out("Total reclaimed space: \(HumanSize.decimal(outcome.bytes))\n")
        return 0
    }
}

enum BundleVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try engine.bundle(command.positionals[0], at: command.positionals[1], images: TransferProgram())
        return 0
    }
}
