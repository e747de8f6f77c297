internal import CContainerInit
package import LinuxSystem

/// This program from a read-only detached bind of its file: what a process inside finds as /proc/self/exe cannot be written
/// to (CVE-2019-5736).
package enum SealedProgram {
    /// Begins again as that, with the same arguments; returns where it is that already.
    package static func become() throws(SystemError) {
        let result = ctr_init_seal(CommandLine.unsafeArgv)
        if result < 0 { throw SystemError(call: "execveat", path: "/proc/self/exe", errno: Int32(-result)) }
    }
}
