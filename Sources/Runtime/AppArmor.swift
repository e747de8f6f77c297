package import Failure
package import LinuxSystem

/// The profile of containers that name none, where the kernel has AppArmor. It means what docker's does: all that the
/// other defences allow, but no mount, no write to what of /proc and /sys is the host's, and signals and tracing among
/// containers' processes only.
package enum AppArmor {
    package static let profileName = "ctr-default"
    /// The kernel's files in securityfs; `.access` answers questions, one write each.
    private static let questions = "/sys/kernel/security/apparmor/.access"
    private static let interface = "/etc/apparmor.d/abi/3.0"

    /// Whether the kernel has the profile now: somebody may have removed it since the boot. One write, whatever the
    /// number of profiles. nil where the kernel cannot be asked: no securityfs is mounted, as in a container.
    package static func isLoaded(_ name: String) -> Bool? {
        guard let file = try? FileDescriptor.open(questions, [.readWrite]) else { return nil }
        // Of its rights to `/` (class 2, files), for some question must be asked.
        let question = Array("label".utf8) + [0] + Array(name.utf8) + [0, 2, UInt8(ascii: "/")]
        do throws(SystemError) {
            try file.write(question)
            return true
        } catch {
            return error.code == .notFound ? false : nil
        }
    }

    /// The profile that a process is held by; nil: none, or no AppArmor.
    package static func profile(ofProcess pid: Int32) -> String? {
        let path = "/proc/\(pid)/attr/apparmor/current"
        guard let bytes = (try? AtomicFile.read(path, limit: 4096)) ?? nil else { return nil }
        // `ctr-default (enforce)`
        let name = String(decoding: bytes.prefix { $0 > UInt8(ascii: " ") }, as: UTF8.self)
        return name.isEmpty || name == "unconfined" ? nil : name
    }

    /// What compiles and loads profiles; nil: not installed.
    package static func parser() -> HelperProgram? {
        HelperProgram.find("apparmor_parser", in: HelperProgram.standardPath)
    }

    /// Loads the profile, or replaces it.
    /// - Throws: what the parser said.
    package static func load(by parser: HelperProgram) throws(Failure) {
        let text = profile(interface: HostFile.exists(interface) ? interface : nil)
        let outcome = try parser.run(
            ["--replace", "--skip-cache", "--quiet"], environment: ["PATH=\(HelperProgram.standardPath)"],
            input: Array(text.utf8), keepsComplaints: true)
        guard outcome.code == 0 else {
            let said = String(decoding: outcome.complaints, as: UTF8.self).split(separator: "\n").last ?? ""
            throw Failure(
                .unavailable, "load the AppArmor profile \(profileName): \(parser.path): \(said)",
                hint: "--security-opt apparmor=unconfined runs a container without it")
        }
    }

    /// - Parameter interface: the file of the features that the text is written for; what a newer kernel mediates beyond
    ///   them is then allowed, not refused.
    static func profile(interface: String?) -> String {
        """
        \(interface.map { "abi \"\($0)\"," } ?? "")
        profile \(profileName) flags=(attach_disconnected, mediate_deleted) {
          network,
          capability,
          file,
          umount,
          deny mount,

          # The host may send any signal, as may ctr where it has a profile of its own.
          signal (receive) peer={unconfined,ctr,ctr-monitor},
          signal (send, receive) peer=\(profileName),
          ptrace (trace, read, tracedby, readby) peer=\(profileName),

          # Of /proc: what belongs to processes, and of the parameters those of System V IPC.
          deny /proc/* w,
          deny /proc/[^1-9s]*/** w,
          deny /proc/s[^y]*/** w,
          deny /proc/sys?*/** w,
          deny /proc/sys/[^k]*/** w,
          deny /proc/sys/k[^e]*/** w,
          deny /proc/sys/kernel/[^sm]** w,
          deny /proc/sys/kernel/s[^eh]** w,
          deny /proc/sys/kernel/se[^m]** w,
          deny /proc/sys/kernel/sh[^m]** w,
          deny /proc/sys/kernel/m[^s]** w,
          deny /proc/sys/kernel/ms[^g]** w,
          deny /proc/{kcore,sysrq-trigger} rwklx,

          # Of /sys: cgroups alone.
          deny /sys/[^f]*/** wklx,
          deny /sys/f[^s]*/** wklx,
          deny /sys/fs/[^c]*/** wklx,
          deny /sys/fs/c[^g]*/** wklx,
          deny /sys/firmware/** rwklx,
          deny /sys/devices/virtual/powercap/** rwklx,
          deny /sys/kernel/security/** rwklx,
        }

        """
    }
}
