internal import Failure
internal import LinuxSystem
internal import Runtime

/// The processes of a container's cgroups, those of cgroups that it made itself too.
struct CgroupProcesses {
    private let location: CgroupLocation?

    init(_ location: CgroupLocation?) { self.location = location }

    var pids: [Int32] { (location?.processes ?? []).sorted() }

    func signal(_ signal: Int32) throws(Failure) {
        if signal == Signal.kill, let killFile = location?.killFile,
            (try? FileDescriptor.exists(killFile)) == true
        {
            return try during("write to \(killFile)") { () throws(SystemError) in
                try FileDescriptor.open(killFile, [.writeOnly]).write("1")
            }
        }
        for pid in pids {
            try during("signal \(pid)") { () throws(SystemError) in
                guard let process = try ProcessIdentity(running: pid)?.open() else { return }
                try Process.signal(signal, to: process)
            }
        }
    }
}
