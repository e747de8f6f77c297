import Build
import BuildContext
import CommandTable
import Engine
import Failure
import LinuxSystem
import Transfers

enum BuildVerb {
    static func perform(
        _ command: ParsedCommand, _ engine: () throws(Failure) -> Engine
    ) throws(Failure) -> Int32 {
        let request = try BuildFlags.request(command)
        if command.flag(.check) {
            try BuildNamespace.enter()
            return try BuildCheckVerb.perform(request, try engine())
        }
        let isQuiet = try BuildDisplay.isQuiet(command)
        let signals = try during("wait for signals") { () throws(SystemError) in
            try FileDescriptor.signals([Signal.interrupt, Signal.terminate, Signal.hangUp])
        }
        try BuildNamespace.enter()
        let engine = try engine()
        // After all that a thread inherits: which signals wait, and the mounts.
        let display = try BuildDisplay.chosen(command)
        let outcome: BuildOutcome
        do throws(Failure) {
            outcome = try engine.build(request, progress: display.progress, interrupt: signals.raw)
            display.end(nil)
            try? engine.emptyTrash()
        } catch {
            display.end(error)
            // What a failed step has written takes room that the next build may need.
            try? engine.emptyTrash()
            if error.code == .interrupted { return 130 }
            throw BuildDisplay.shown(error)
        }
        if isQuiet, let id = outcome.imageID {
            Console.out("\(id)\n")
        }
        if command.flag(.push) || request.outputs.contains(where: \.pushes) {
            guard !outcome.names.isEmpty else {
                throw Failure(
                    .invalidArgument, "the image has no name to be pushed under", hint: "give one by -t")
            }
            for name in outcome.names {
                for pushed in try engine.push(
                    name, allTags: false, progress: Progress.chosen(quiet: isQuiet))
                {
                    Console.error("\(pushed.tag): digest: \(pushed.digest) size: \(pushed.size)\n")
                }
            }
        }
        return 0
    }
}
