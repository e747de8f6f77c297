import CommandTable
import Engine
import Failure
import LinuxSystem

enum ExecVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        var request = ExecRequest(arguments: Array(command.positionals.dropFirst()))
        request.detached = command.flag(.detach)
        request.interactive = command.flag(.interactive)
        request.terminal = command.flag(.tty)
        request.privileged = command.flag(.privileged)
        request.user = command.value(.user)
        request.workingDirectory = command.value(.workdir)
        request.environment = try ContainerFlags.environment(command)
        request.detachKeys = try DetachKeys.chosen(command)
        if request.terminal, request.interactive, !request.detached, !Terminal.isTerminal(0) {
            throw Failure(
                .invalidArgument, "the input device is not a TTY", hint: "leave out -t, or give it a terminal"
            )
        }
        return try engine.exec(try engine.container(command.positionals[0]), request)
    }
}
