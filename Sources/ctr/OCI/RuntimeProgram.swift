import CivilTime
import CommandTable
import Failure
import LinuxSystem
import OCI
import OCIRuntime

/// `ctr oci`, or this program under the name `ctr-oci`: what other engines call in the place of another runtime.
enum RuntimeProgram {
    private static let name = "ctr-oci"

    /// The words after the program's name, with `oci` before them where the name says it.
    static func arguments(_ words: [String]) -> [String] {
        let called = words.first.map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        return (called == name ? ["oci"] : []) + words.dropFirst()
    }

    /// Failures go to the log that the engine reads, and to stderr.
    static func perform(_ command: ParsedCommand) -> Int32 {
        do throws(Failure) {
            let runtime = BundleRuntime(root: command.value(.root), usesSystemd: command.flag(.systemdCgroup))
            switch command.verb {
            case .ociCreate, .ociRun: try runtime.prepareToLaunch(bundle: command.value(.bundle) ?? ".")
            case .ociExec: try runtime.prepareToLaunch(in: command.positionals.first ?? "")
            default: break
            }
            return try RuntimeVerbs(runtime: runtime, command: command).perform()
        } catch {
            log(error, command)
            return command.verb == .ociExec ? 255 : 1
        }
    }

    private static func log(_ failure: Failure, _ command: ParsedCommand) {
        let message = failure.message
        Console.error("\(name): \(message)\n")
        if let hint = failure.hint { Console.error("\(hint)\n") }
        guard let path = command.value(.log), !path.isEmpty, path != "stderr" else { return }
        let seconds = Timestamp.now().seconds
        let time = CivilTime(secondsSinceEpoch: seconds)
        let stamp = "\(time.date)T\(time.clock)Z"
        var line = Array("time=\"\(stamp)\" level=error msg=\"\(message)\"\n".utf8)
        if command.value(.logFormat) == "json" {
            let entry = ["level": "error", "msg": message, "time": stamp]
            guard let bytes = try? JSON.encode(entry) else { return }
            line = bytes + [UInt8(ascii: "\n")]
        }
        let file = try? FileDescriptor.open(path, [.writeOnly, .create, .append], mode: 0o600)
        try? file?.write(line)
    }
}
