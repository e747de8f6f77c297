import Build
import BuildScreen
import CommandTable
import Failure
import LinuxSystem

/// How a build is shown.
struct BuildDisplay {
    let progress: any BuildProgress
    /// Once, when the build is over; what is to be told of its failure beside the failure itself is shown by then.
    let end: (Failure?) -> Void

    /// By `--progress`, else by the environment as docker's, else by where stderr leads to.
    static func chosen(_ command: ParsedCommand) throws(Failure) -> BuildDisplay {
        let isTerminal = Terminal.isTerminal(2)
        let mode = command.flag(.quiet) ? "quiet" : try mode(command)
        switch mode {
        case "quiet":
            let quiet = QuietBuildProgress(filters: isTerminal)
            return BuildDisplay(progress: quiet, end: { quiet.end($0) })
        case "json", "rawjson": return BuildDisplay(progress: EventBuildProgress(), end: { _ in })
        case "tty":
            guard isTerminal else {
                throw Failure(
                    .invalidArgument, "--progress tty: standard error is no terminal", hint: "use plain")
            }
            return terminal()
        case "auto" where isTerminal && Process.environmentValue("TERM") != "dumb": return terminal()
        default:
            let plain = PlainBuildProgress(filters: isTerminal)
            return BuildDisplay(progress: plain, end: { plain.end($0) })
        }
    }

    /// What `-q` is with other words.
    static func isQuiet(_ command: ParsedCommand) throws(Failure) -> Bool {
        if command.flag(.quiet) { return true }
        return try mode(command) == "quiet"
    }

    private static func mode(_ command: ParsedCommand) throws(Failure) -> String {
        let asked = command.value(.progress) ?? "auto"
        guard asked == "auto", let preset = Process.environmentValue("BUILDKIT_PROGRESS"), !preset.isEmpty
        else { return asked }
        let known = ["auto", "plain", "tty", "json", "rawjson", "quiet"]
        guard known.contains(preset) else {
            throw Failure(
                .invalidArgument, "BUILDKIT_PROGRESS=\(preset): no such way to show a build",
                hint: "there are \(known.joined(separator: ", "))")
        }
        return preset
    }

    private static func terminal() -> BuildDisplay {
        let shown = TerminalBuildProgress(
            colors: (Process.environmentValue("NO_COLOR") ?? "").isEmpty
                && Process.environmentValue("TERM") != "dumb")
        return BuildDisplay(progress: shown, end: { shown.end($0) })
    }

    /// A failure as a terminal may get it: the Dockerfile and the names in it are a stranger's.
    static func shown(_ failure: Failure) -> Failure {
        guard Terminal.isTerminal(2) else { return failure }
        return Failure(
            failure.code, TerminalText.line(failure.message),
            hint: failure.hint.map { TerminalText.lines($0).joined(separator: "\n") }, cause: failure.cause)
    }
}

extension BuildStepEnd {
    var shown: StepEnd {
        switch self {
        case .done: .done
        case .cached: .cached
        case .failed(let message): .failed(message)
        case .canceled: .canceled
        }
    }
}
