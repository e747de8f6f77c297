import CommandTable
import Engine
import Failure
import LinuxSystem

enum RunVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        var request = try ContainerFlags.request(command)
        let streams = Set(command.values(.attach))
        let detached = command.flag(.detach)
        request.settings.detached = detached
        if detached, !streams.isEmpty {
            throw Failure(.invalidArgument, "Conflicting options: -a and -d")
        }
        if request.settings.terminal, request.settings.openStdin, !detached, !Terminal.isTerminal(0) {
            throw Failure(
                .invalidArgument, "the input device is not a TTY", hint: "leave out -t, or give it a terminal"
            )
        }
        let waits = command.value(.wait) != nil
        if waits || command.value(.waitTimeout) != nil, !detached || !waits {
            throw Failure(
                .invalidArgument, "--wait and --wait-timeout are for a container in the background (-d)")
        }
        let record = try engine.create(request, images: TransferProgram())
        if waits, !record.settings.life.health.isActive {
            engine.remove([record], force: true, volumes: true) { _, _ in }
            throw Failure(
                .invalidArgument, "--wait=healthy: the container has no health check",
                hint: "the image has none; --health-cmd gives one")
        }
        if detached {
            try engine.start(record)
            Console.out(record.id + "\n")
            guard waits else { return 0 }
            Console.flush()
            return try HealthWait.perform(command, record, engine)
        }
        return try engine.startAttached(
            record,
            Attachment(
                stdin: request.settings.openStdin && (streams.isEmpty || streams.contains("stdin")),
                stdout: streams.isEmpty || streams.contains("stdout"),
                stderr: streams.isEmpty || streams.contains("stderr"),
                detachKeys: try DetachKeys.chosen(command), proxiesSignals: command.flag(.sigProxy)))
    }
}

enum CreateVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let request = try ContainerFlags.request(command)
        let record = try engine.create(request, images: TransferProgram())
        Console.out(record.id + "\n")
        return 0
    }
}

extension DetachKeys {
    /// ctrl-p ctrl-q unless --detach-keys says otherwise.
    static func chosen(_ command: ParsedCommand) throws(Failure) -> [UInt8] {
        try command.parsed(.detachKeys) { (text) throws(Failure) in try DetachKeys.parse(text) } ?? [16, 17]
    }
}
