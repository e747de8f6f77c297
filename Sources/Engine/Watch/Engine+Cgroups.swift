internal import ContainerMonitor
internal import Failure
internal import LinuxSystem
internal import Runtime

extension Engine {
    /// `joined` in the run directory: v1 directories that `update` made for a container that runs, one a line. The
    /// monitor removes them with the others.
    static func joinedDirectories(_ runDirectory: String) -> [String] {
        guard let bytes = (try? AtomicFile.read("\(runDirectory)/joined", limit: 1 << 16)) ?? nil else {
            return []
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// A running container's cgroups, with what can be read of and written to them.
    func location(of run: RunState, _ id: String) throws(Failure) -> CgroupLocation {
        let joined = Engine.joinedDirectories(runDirectory(of: id)).map { "\($0)/tasks" }
        return CgroupLocation(
            running: run.cgroupDirectory, tasks: run.cgroupTasks + joined,
            layout: try cgroupLayout(), now: CgroupChange.content)
    }
}
