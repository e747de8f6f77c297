import CommandTable
import Engine
import Failure
import LinuxSystem

enum PullVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let quiet = command.flag(.quiet)
        for pulled in try engine.pull(
            command.positionals[0], platform: command.value(.platform), allTags: command.flag(.allTags),
            progress: Progress.chosen(quiet: quiet))
        {
            if !quiet {
                Console.out("Digest: \(pulled.digest)\n")
                Console.out(
                    pulled.isNew
                        ? "Status: Downloaded newer image for \(pulled.familiarName)\n"
                        : "Status: Image is up to date for \(pulled.familiarName)\n")
            }
            Console.out(pulled.canonicalName + "\n")
        }
        return 0
    }
}

enum PushVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let quiet = command.flag(.quiet)
        for pushed in try engine.push(
            command.positionals[0], allTags: command.flag(.allTags), progress: Progress.chosen(quiet: quiet))
        {
            Console.out(
                quiet
                    ? pushed.name + "\n" : "\(pushed.tag): digest: \(pushed.digest) size: \(pushed.size)\n")
        }
        return 0
    }
}

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
        if !outcome.lines.isEmpty { Console.out("Deleted Images:\n" + outcome.lines.joined(separator: "\n") + "\n\n") }
        Console.out("Total reclaimed space: \(HumanSize.decimal(outcome.bytes))\n")
        return 0
    }
}

enum ImportVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        var request = ImportRequest(source: command.positionals[0])
        request.reference = command.positionals.count > 1 ? command.positionals[1] : nil
        request.changes = command.values(.change)
        request.message = command.value(.message)
        request.platform = command.value(.platform)
        Console.out("\(try engine.importImage(request))\n")
        return 0
    }
}

enum SaveVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        try OutputFile.write(to: command.value(.output)) { (number) throws(Failure) in
            try engine.save(command.positionals, to: number)
        }
        return 0
    }
}

enum LoadVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        if command.value(.input) == nil, Terminal.isTerminal(0) {
            throw Failure(.invalidArgument, "requested load from stdin, but stdin is empty", hint: "give a file by --input, or pipe one in")
        }
        for image in try engine.load(from: command.value(.input)) {
            Console.out(image.name.map { "Loaded image: \($0)\n" } ?? "Loaded image ID: \(image.id)\n")
        }
        return 0
    }
}
