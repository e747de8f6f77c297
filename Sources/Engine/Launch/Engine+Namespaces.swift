internal import ContainerMonitor
internal import Failure
internal import LinuxSystem
internal import Runtime

extension Engine {
    /// docker's words for namespaces as modes; `container:NAME` becomes the other one's namespace file.
    func namespaces(of settings: ContainerSettings) throws(Failure) -> SpecOptions.Namespaces {
        var modes = SpecOptions.Namespaces()
        modes.pid = try mode(settings.pid, flag: "--pid", file: "pid", allowed: ["host", "private"])
        modes.ipc = try mode(
            settings.ipc, flag: "--ipc", file: "ipc", allowed: ["host", "private", "shareable", "none"])
        modes.uts = try mode(settings.uts, flag: "--uts", file: "uts", allowed: ["host"])
        modes.cgroup = try mode(
            settings.cgroupNamespace, flag: "--cgroupns", file: "cgroup", allowed: ["host", "private"])
        modes.network = try mode(settings.network, flag: "--network", file: "net", allowed: ["host", "none"])
        return modes
    }

    private func mode(_ word: String, flag: String, file: String, allowed: [String]) throws(Failure)
        -> SpecOptions.NamespaceMode
    {
        if word.isEmpty { return .private }
        if word.hasPrefix("container:"), file != "cgroup", file != "uts" {
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
