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
            switch command.verb {
            case .ociCreate, .ociRun, .ociExec: try sealProgram()
            default: break
            }
            let runtime = BundleRuntime(root: command.value(.root), usesSystemd: command.flag(.systemdCgroup))
            return try RuntimeVerbs(runtime: runtime, command: command).perform()
        } catch {
            log(error, command)
            return command.verb == .ociExec ? 255 : 1
        }
    }

    /// CVE-2019-5736: what starts containers runs from a read-only detached bind of its file, so that /proc/self/exe cannot
    /// be written to from inside. `ctr run` has its monitor for that; here this program is the parent.
    private static func sealProgram() throws(Failure) {
        do throws(SystemError) {
            let own = try Process.openSelf()
            if try own.isOnReadOnlyMount() { return }
            let mount = try DetachedMount(bind: "", in: own.raw, recursive: false)
            try mount.set([.readOnly])
            try Process.become(
                program: mount.descriptor, arguments: CommandLine.arguments, environment: Process.environment)
        } catch {
            // An ordinary user without a namespace of its own may not mount; nor could a container write to what another
            // owns.
            guard error.errno == Errno.notPermitted else { throw error.failure("seal the program") }
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
