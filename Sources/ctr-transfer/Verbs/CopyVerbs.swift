import CommandTable
import Engine
import Failure
import LinuxSystem
import Transfers

enum CopyVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let source = CopyEndpoint(command.positionals[0])
        let destination = CopyEndpoint(command.positionals[1])
        var request = CopyRequest()
        request.keepsOwners = command.flag(.archive)
        request.followsLink = command.flag(.followLink)
        switch (source, destination) {
        case (.container(let word, let path), .host(let target)):
            try engine.copy(from: try engine.container(word), path, to: target, request)
        case (.host(let path), .container(let word, let target)):
            try engine.copy(from: path, to: try engine.container(word), target, request)
        case (.container, .container):
            throw Failure(.invalidArgument, "copying between containers is not supported")
        case (.host, .host):
            throw Failure(.invalidArgument, "must specify at least one container source")
        }
        return 0
    }
}

enum DiffVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        for change in try engine.diff(try engine.container(command.positionals[0])) {
            Console.out("\(change.letter) \(change.path)\n")
        }
        return 0
    }
}

enum ExportVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let record = try engine.container(command.positionals[0])
        try OutputFile.write(to: command.value(.output)) { (number) throws(Failure) in
            try engine.export(record, to: number)
        }
        return 0
    }
}
