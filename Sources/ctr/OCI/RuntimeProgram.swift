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
        let log = RuntimeLog(
            path: command.value(.log).flatMap {
                $0.isEmpty || $0 == "stderr" ? nil : WorkingDirectory.absolute($0)
            },
            isJSON: command.value(.logFormat) == "json")
        do throws(Failure) {
            let runtime = BundleRuntime(
                root: command.value(.root), usesSystemd: command.flag(.systemdCgroup), warn: log.warn)
            switch command.verb {
            case .ociCreate, .ociRun: try runtime.prepareToLaunch(bundle: command.value(.bundle) ?? ".")
            case .ociExec: try runtime.prepareToLaunch(in: command.positionals.first ?? "")
            default: break
            }
            return try RuntimeVerbs(runtime: runtime, command: command, log: log).perform()
        } catch {
            log.fail(error)
            return command.verb == .ociExec ? 255 : 1
        }
    }
}
