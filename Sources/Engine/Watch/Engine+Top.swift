internal import ContainerMonitor
package import Failure
internal import LinuxSystem
internal import Runtime

/// The processes of a container, for `top`.
package struct ProcessListing: Sendable {
    package let processes: [ProcessEntry]
    package let clock: ProcessClock
    /// Of the host and of the container, by their passwd and group files.
    let hostNames, names: UserDatabase
    /// How many ids of a user namespace's own beginning at 0 are where on the host: (inside, outside, count).
    let uidMap, gidMap: [(inside: UInt32, outside: UInt32, count: UInt32)]

    package func uidInside(_ uid: UInt32) -> UInt32 { ProcessListing.inside(uid, uidMap) }
    package func gidInside(_ gid: UInt32) -> UInt32 { ProcessListing.inside(gid, gidMap) }

    package func ppidInside(_ process: ProcessEntry) -> Int32 { process.ppidInside(among: processes) }

    package func user(_ process: ProcessEntry) -> String { names.name(ofUser: uidInside(process.uid)) }
    package func hostUser(_ process: ProcessEntry) -> String { hostNames.name(ofUser: process.uid) }
    package func group(_ process: ProcessEntry) -> String { names.name(ofGroup: gidInside(process.gid)) }
    package func hostGroup(_ process: ProcessEntry) -> String { hostNames.name(ofGroup: process.gid) }

    private static func inside(
        _ id: UInt32, _ map: [(inside: UInt32, outside: UInt32, count: UInt32)]
    ) -> UInt32 {
        for range in map where id >= range.outside && id - range.outside < range.count {
            return range.inside + (id - range.outside)
        }
        return 65534
    }
}

extension Engine {
    /// Read from the host's /proc alone: no program of the container is run and none of its namespaces is entered
    /// (CVE-2022-1227).
    package func processes(of record: ContainerRecord) throws(Failure) -> ProcessListing {
        guard let run = try runState(of: record), run.isAlive, run.status == .running else {
            throw Failure(.conflict, "Container \(record.name) is not running")
        }
        let first = run.process.pid
        var pids = try location(of: run, record.id).processes
        if !pids.contains(first) { pids.append(first) }
        let processes = pids.sorted().compactMap { ProcessEntry($0) }
        let host = try during("open /") { () throws(SystemError) in
            try FileDescriptor.open("/", [.pathOnly, .directory])
        }
        var names = UserDatabase(passwd: "", group: "")
        if let root = try? FileDescriptor.open("/proc/\(first)/root", [.pathOnly, .directory]),
            run.process.isAlive, let found = try? UserDatabase(root: root)
        {
            names = found
        }
        tell("top", record)
        return ProcessListing(
            processes: processes, clock: ProcessClock(), hostNames: try UserDatabase(root: host),
            names: names,
            uidMap: Engine.map("/proc/\(first)/uid_map"), gidMap: Engine.map("/proc/\(first)/gid_map"))
    }

    /// `         0          0 4294967295`
    private static func map(_ path: String) -> [(inside: UInt32, outside: UInt32, count: UInt32)] {
        let bytes = ((try? AtomicFile.read(path, limit: 1 << 16)) ?? nil) ?? []
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let numbers = line.split(separator: UInt8(ascii: " ")).compactMap {
                UInt32(String(decoding: $0, as: UTF8.self))
            }
            return numbers.count == 3 ? (numbers[0], numbers[1], numbers[2]) : nil
        }
    }
}
