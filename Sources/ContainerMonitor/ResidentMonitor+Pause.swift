internal import LaunchPlan
internal import LinuxSystem
internal import NameService

extension ResidentMonitor {
    /// In the run directory of a container that `ctr pause` froze.
    private static let pauseMark = "paused"

    /// After a signal to end was sent: a frozen process hears of it when it goes on, as `ctr stop` has it.
    func thaw() {
        guard (try? FileDescriptor.exists(ResidentMonitor.pauseMark, in: runDirectory.raw)) ?? false else {
            return
        }
        let legacy = cgroupTasks.map { ("\($0.dropLast("tasks".count))freezer.state", "THAWED") }
        for (file, word) in [("\(plan.cgroupDirectory)/cgroup.freeze", "0")] + legacy {
            // Of v1 only one directory has the file.
            _ = try? FileDescriptor.open(file, [.writeOnly]).write(word)
        }
        try? Directory.removeFile(ResidentMonitor.pauseMark, in: runDirectory.raw)
        setAway(.paused, false)
        tell("unpause")
    }
}
