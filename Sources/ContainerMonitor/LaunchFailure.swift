internal import CContainerInit
package import Failure
internal import LaunchPlan
internal import LinuxSystem

/// A launch that did not come to the program, with docker's exit code for it.
package struct LaunchFailure: Error, Sendable {
    /// 127: the program is not there. 126: it cannot be executed. 125: anything before it.
    package var exitCode: Int32
    package var failure: Failure

    package init(exitCode: Int32 = 125, _ failure: Failure) {
        self.exitCode = exitCode
        self.failure = failure
    }
}

extension LaunchFailure {
    /// From what the child told, with the words of the plan.
    init(_ report: ctr_report, step: Step?, in plan: LaunchPlan) {
        let error = SystemError(call: "step \(report.step)", path: nil, errno: report.error)
        guard let step else {
            self.init(error.failure("start the container"))
            return
        }
        let doing = plan.words(for: step)
        switch step {
        case .findProgram: self.init(executing: doing, isThere: false, report, error)
        case .execute: self.init(executing: doing, isThere: true, report, error)
        default:
            let place = LaunchFailure.words(for: report.detail, of: step)
            // How a hook ended says all; the errno is only a sign of it.
            let isAll = [CTR_DETAIL_HOOK_STATUS, CTR_DETAIL_HOOK_TIME].contains(
                ctr_detail(report.detail & 0xff))
            let reason = isAll ? nil : error.reason
            self.init(
                Failure(
                    error.code, [doing, place, reason].compactMap(\.self).joined(separator: ": "),
                    hint: LaunchFailure.hint(for: report.detail), cause: error))
        }
    }

    /// - Parameter isThere: the program was found, and execve failed.
    private init(executing doing: String, isThere: Bool, _ report: ctr_report, _ error: SystemError) {
        switch report.error {
        case Errno.noEntry, Errno.notDirectory:
            let inPath = report.detail == CTR_DETAIL_NOT_IN_PATH.rawValue
            self.init(
                exitCode: 127,
                isThere
                    ? LaunchFailure.notExecuted(doing, error)
                    : Failure(
                        .notFound, "\(doing): \(inPath ? "executable file not found in PATH" : error.reason)",
                        cause: error))
        case Errno.accessDenied, Errno.isDirectory, Errno.notExecutable, Errno.notPermitted, Errno.textBusy,
            Errno.tooManyLinks, Errno.badLibrary, Errno.argumentsTooLong:
            self.init(
                exitCode: 126,
                Failure(
                    error.code, "\(doing): \(error.reason)",
                    hint: report.error == Errno.notExecutable
                        ? "the program is not of this machine's architecture, or a script without \"#!\""
                        : nil,
                    cause: error))
        default:
            self.init(error.failure(doing))
        }
    }

    /// Of a program that is there "no such file" tells of another file.
    private static func notExecuted(_ doing: String, _ error: SystemError) -> Failure {
        error.failure(
            doing,
            hint: error.errno == Errno.noEntry
                ? "the program is there; what it is run by is not: its dynamic loader, or what is after \"#!\""
                : nil)
    }

    private static func words(for detail: UInt32, of step: Step) -> String? {
        switch ctr_detail(detail & 0xff) {
        case CTR_DETAIL_TARGET: return "the place in the image"
        case CTR_DETAIL_SYMLINK: return "a symbolic link in the image stands in its place"
        case CTR_DETAIL_OPTION:
            let options =
                switch step {
                case .mount(_, _, _, _, let options, _), .remount(_, _, let options): options
                default: [MountOption]()
                }
            guard options.indices.contains(Int(detail >> 8)) else { return "option \(detail >> 8)" }
            return "option \(options[Int(detail >> 8)].key)"
        case CTR_DETAIL_NOT_PROC: return "/proc is not a proc file system"
        case CTR_DETAIL_NOT_NULL: return "/dev/null is not the null device"
        case CTR_DETAIL_OUTSIDE: return "it is outside of the container"
        case CTR_DETAIL_COPY_UP: return "copying what the image has there"
        case CTR_DETAIL_NO_TERMINALS: return "/dev/pts in the container"
        case CTR_DETAIL_MALFORMED: return "the plan is not complete"
        default: return words(forHook: detail)
        }
    }

    /// What a process that waited for `start` tells over its FIFO; nil where it tells nothing. Only hooks and execve are left
    /// then.
    package init?(toldAfterStart bytes: some Collection<UInt8>) {
        guard bytes.count >= MemoryLayout<ctr_report>.size else { return nil }
        let report = Array(bytes).withUnsafeBytes { $0.loadUnaligned(as: ctr_report.self) }
        let error = SystemError(call: "step \(report.step)", path: nil, errno: report.error)
        let hook = LaunchFailure.words(forHook: report.detail)
        self.init(
            hook.map { Failure(error.code, "hooks.startContainer.\(report.detail >> 24): \($0)") }
                ?? LaunchFailure.notExecuted("execute the program", error))
    }

    private static func words(forHook detail: UInt32) -> String? {
        switch ctr_detail(detail & 0xff) {
        case CTR_DETAIL_HOOK_STATUS:
            let status = Int32(detail >> 8 & 0xffff)
            return status & 0x7f == 0
                ? "exit status \(status >> 8 & 0xff)" : "killed by signal \(status & 0x7f)"
        case CTR_DETAIL_HOOK_TIME: return "it took too long and was killed"
        case CTR_DETAIL_HOOK_PROGRAM: return "the program cannot be executed"
        default: return nil
        }
    }

    private static func hint(for detail: UInt32) -> String? {
        ctr_detail(detail & 0xff) == CTR_DETAIL_SYMLINK
            ? "the image replaces a system directory by a link; do not trust it" : nil
    }
}
