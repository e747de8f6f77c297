internal import CommandTable
package import Failure
internal import LinuxSystem

extension Engine {
    /// Starts what is to run after a boot, by docker's rules for the start of its daemon: `always` whatever ended it,
    /// `unless-stopped` if nobody stopped it by hand, `on-failure` if its last exit code was not 0 and tries are left. What
    /// was never started stays so. A container that runs is left alone, one with `--rm` goes. `report` hears of each that
    /// was started, or could not be.
    package func boot(report: (ContainerRecord, Failure?) -> Void) throws(Failure) {
        // For ordinary users, who cannot load it. What keeps it from being loaded, each start says.
        _ = try? loadAppArmorProfile()
        for record in try containerStore.all().reversed() {
            do throws(Failure) {
                let state = try state(of: record)
                guard !state.isRunning else { continue }
                if record.settings.autoRemove, state.status == .exited {
                    try removeEnded(record.id)
                    continue
                }
                guard try isToStart(record, state) else { continue }
                try start(record)
                report(record, nil)
            } catch {
                // Somebody removed it meanwhile.
                if error.code != .notFound { report(record, error) }
            }
        }
    }

    private func isToStart(_ record: ContainerRecord, _ state: ContainerState) throws(Failure) -> Bool {
        guard state.status != .created else { return false }
        switch try RestartPolicy.parse(record.settings.restart) {
        case .no: return false
        case .always: return true
        case .unlessStopped:
            let mark = path(of: record, "stopped")
            return try during("look at \(record.name)") { () throws(SystemError) in
                try !FileDescriptor.exists(mark)
            }
        case .onFailure(let retries):
            return state.exitCode != 0 && (retries == 0 || state.restartCount < UInt32(retries))
        }
    }
}

/// The systemd unit that starts containers after a boot. One a root directory; no process of it stays.
package struct BootUnit: Sendable {
    package let name: String
    package let path: String
    package let text: String
    /// Of the user's own systemd.
    package let isUsers: Bool

    /// - Parameters:
    ///   - root: nil: the default; a unit of another root has the root's hash in its name.
    ///   - isUsers: below the user's configuration, not the machine's.
    package init(root: String?, runRoot: String?, isUsers: Bool) throws(Failure) {
        let program = try during("find ctr's own path") { () throws(SystemError) in
            try Directory.readLink("/proc/self/exe").shown
        }
        let directory: String
        if isUsers {
            let home = Process.environmentValue("HOME") ?? "/root"
            directory =
                (Process.environmentValue("XDG_CONFIG_HOME") ?? "\(home)/.config") + "/systemd/user"
        } else {
            directory = "/etc/systemd/system"
        }
        let root = root ?? Process.environmentValue("CTR_ROOT")
        let runRoot = runRoot ?? Process.environmentValue("CTR_RUN_ROOT")
        var words = [program]
        if let root { words += ["--root", root] }
        if let runRoot { words += ["--run-root", runRoot] }
        name = root.map { "ctr-boot-\(Engine.hash($0)).service" } ?? "ctr-boot.service"
        path = "\(directory)/\(name)"
        self.isUsers = isUsers
        text = """
            [Unit]
            Description=Containers of ctr that run after a boot\(root.map { " (\($0))" } ?? "")
            After=local-fs.target network-online.target
            Wants=network-online.target
            RequiresMountsFor="\(BootUnit.escaped(root ?? "/var/lib/ctr"))"

            [Service]
            Type=oneshot
            RemainAfterExit=yes
            # Containers live in scopes of their own; stopping this unit stops none of them.
            KillMode=process
            ExecStart=\((words + ["system", "boot"]).map { "\"\(BootUnit.escaped($0))\"" }.joined(separator: " "))

            [Install]
            WantedBy=\(isUsers ? "default.target" : "multi-user.target")

            """
    }

    /// systemd's quoting: backslashes, quotes, and the percent of its specifiers.
    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "\\", "\"": out += "\\\(character)"
            case "%": out += "%%"
            case "$": out += "$$"
            default: out.append(character)
            }
        }
        return out
    }

    /// Writes it and, where systemd runs, enables it. Answers what was done, a line each.
    package func install() throws(Failure) -> [String] {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let directory = String(path[..<slash])
        try during("write \(path)") { () throws(SystemError) in
            try Directory.ensurePath(directory, mode: 0o755)
            let folder = try Directory.open(directory)
            try AtomicFile.write(Array(text.utf8), to: name, in: folder.raw, mode: 0o644)
        }
        var lines = ["wrote \(path)"]
        guard let systemctl else {
            return lines + ["systemd does not run here: nothing was enabled"]
        }
        try run(systemctl, ["daemon-reload"])
        try run(systemctl, ["enable", name])
        lines.append("enabled \(name)")
        if isUsers { lines.append("it starts at your login; at boot after \"loginctl enable-linger\"") }
        return lines
    }

    package func uninstall() throws(Failure) -> [String] {
        guard (try? FileDescriptor.exists(path)) ?? false else {
            throw Failure(.notFound, "\(path) is not there", hint: "\"ctr system install\" writes it")
        }
        var lines: [String] = []
        if let systemctl {
            try run(systemctl, ["disable", name])
            lines.append("disabled \(name)")
        }
        try during("remove \(path)") { () throws(SystemError) in try Directory.removeFile(path) }
        if let systemctl { try run(systemctl, ["daemon-reload"]) }
        return lines + ["removed \(path)"]
    }

    private var systemctl: HelperProgram? {
        let isThere = (try? FileDescriptor.exists("/run/systemd/system")) ?? false
        return isThere ? HelperProgram.find("systemctl", in: HelperProgram.standardPath) : nil
    }

    private func run(_ systemctl: HelperProgram, _ words: [String]) throws(Failure) {
        let outcome = try systemctl.run(
            (isUsers ? ["--user"] : []) + words, environment: Process.environment, keepsComplaints: true)
        guard outcome.code == 0 else {
            let said = String(decoding: outcome.complaints, as: UTF8.self).split(separator: "\n").last ?? ""
            throw Failure(
                .unavailable, "systemctl \(words.joined(separator: " ")): \(said)",
                hint: "\(path) was written")
        }
    }
}
