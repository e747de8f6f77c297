internal import Failure
internal import LinuxSystem
internal import Runtime

/// The processes of a container's cgroups, those of cgroups that it made itself too.
struct CgroupProcesses {
    private let directory: String?
    private let killFile: String?

    init(_ location: CgroupLocation?) {
        directory = location.map(\.cgroupDirectory).flatMap { $0.isEmpty ? nil : $0 }
        killFile = location?.killFile
    }

    func pids() throws(Failure) -> [Int32] {
        guard let directory else { return [] }
        var found: [Int32] = []
        do throws(SystemError) { try CgroupProcesses.add(directory, &found) } catch {
            if error.errno == Errno.noEntry { return [] }
            throw error.failure("list the processes of \(directory)")
        }
        return found.sorted()
    }

    private static func add(_ path: String, _ found: inout [Int32]) throws(SystemError) {
        let text = String(decoding: try AtomicFile.read("\(path)/cgroup.procs") ?? [], as: UTF8.self)
        found += text.split(separator: "\n").compactMap { Int32($0) }
        for entry in try Directory.entries(of: try Directory.open(path)) where entry.kind == .directory {
            try add("\(path)/\(String(decoding: entry.name.bytes, as: UTF8.self))", &found)
        }
    }

    func signal(_ signal: Int32) throws(Failure) {
        if signal == Signal.kill, let killFile, (try? FileDescriptor.exists(killFile)) == true {
            return try during("write to \(killFile)") { () throws(SystemError) in
                try FileDescriptor.open(killFile, [.writeOnly]).write("1")
            }
        }
        for pid in try pids() {
            try during("signal \(pid)") { () throws(SystemError) in
                guard let process = try ProcessIdentity(running: pid)?.open() else { return }
                try Process.signal(signal, to: process)
            }
        }
    }
}
