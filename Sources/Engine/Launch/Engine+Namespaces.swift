internal import ContainerMonitor
internal import Failure
internal import LinuxSystem
internal import Runtime

extension Engine {
    /// docker's words for namespaces as modes; `container:NAME` becomes the other one's namespace file.
    ///
    /// - Parameter isRunning: the container has joined them; the other one may be gone by now, and its file is not named.
    func namespaces(
        of settings: ContainerSettings, isRunning: Bool = false
    ) throws(Failure) -> SpecOptions.Namespaces {
        func mode(
            _ word: String, _ flag: String, _ file: String, _ allowed: [String]
        ) throws(Failure) -> SpecOptions.NamespaceMode {
            try self.mode(word, flag: flag, file: file, allowed: allowed, isRunning: isRunning)
        }
        var modes = SpecOptions.Namespaces()
        modes.pid = try mode(settings.pid, "--pid", "pid", ["host", "private"])
        modes.ipc = try mode(settings.ipc, "--ipc", "ipc", ["host", "private", "shareable", "none"])
        modes.uts = try mode(settings.uts, "--uts", "uts", ["host"])
        modes.cgroup = try mode(settings.cgroupNamespace, "--cgroupns", "cgroup", ["host", "private"])
        if !settings.networking.attachments.isEmpty {
            modes.network = .private
        } else if settings.network.hasPrefix("ns:") {
            let path = String(settings.network.dropFirst("ns:".count))
            guard isRunning || (try? FileDescriptor.exists(path)) == true else {
                throw Failure(.notFound, "--network \(settings.network): there is no \(path)")
            }
            modes.network = .joined(path: isRunning ? "" : path)
        } else {
            modes.network = try mode(settings.network, "--network", "net", ["host", "none"])
        }
        let user = settings.userNamespace
        if !user.container.isEmpty {
            modes.user = try mode("container:\(user.container)", "--userns", "user", [])
        } else if !user.uids.isEmpty {
            modes.user = .private
        }
        return modes
    }

    private func mode(
        _ word: String, flag: String, file: String, allowed: [String], isRunning: Bool
    ) throws(Failure) -> SpecOptions.NamespaceMode {
        if word.isEmpty { return .private }
        if word.hasPrefix("container:"), file != "cgroup", file != "uts" {
            if isRunning { return .joined(path: "") }
            let name = String(word.dropFirst("container:".count))
            let other = try container(name)
            guard let run = try runState(of: other), run.status == .running, run.process.isAlive else {
                throw Failure(
                    .conflict, "\(flag) \(word): the container \(name) is not running", hint: "start it first"
                )
            }
            return .joined(path: "/proc/\(run.process.pid)/ns/\(file)")
        }
        guard allowed.contains(word) else {
            throw Failure(
                .invalidArgument, "\(flag) \(word): unknown mode",
                hint: "it can be \(allowed.joined(separator: ", ")) or container:NAME")
        }
        switch word {
        case "host": return .host
        case "shareable": return .shareable
        case "none": return file == "net" ? .private : .none
        default: return .private
        }
    }
}
