import CommandTable
import Engine
import Failure
import LinuxSystem
import Transfers

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
            throw Failure(
                .invalidArgument, "requested load from stdin, but stdin is empty",
                hint: "give a file by --input, or pipe one in")
        }
        for image in try engine.load(from: command.value(.input)) {
            Console.out(image.name.map { "Loaded image: \($0)\n" } ?? "Loaded image ID: \(image.id)\n")
        }
        return 0
    }
}
