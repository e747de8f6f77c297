import Foundation

/// What a runtime can leave on a machine: processes, mounts, cgroups, files of the run directory.
enum Leftovers {
    static func find(below directory: String, containers: Set<String>) -> [String] {
        processes(of: directory).map { "process \($0.pid): \($0.why)" }
            + mounts(below: directory).map { "mount at \($0)" }
            + cgroups(of: containers).map { "cgroup \($0)" }
            + runDirectories(below: directory + "/run").map { "run directory \($0)" }
    }

    /// Ends and unmounts what is left, so that the next test does not stumble over it.
    static func remove(below directory: String) {
        for process in processes(of: directory) { kill(process.pid, SIGKILL) }
        for mount in mounts(below: directory).reversed() {
            _ = try? ChildProcess(["/bin/umount", "-l", mount]).finish(timeout: 10)
        }
    }

    /// Processes whose words, working directory or open files name the directory. A container's stdio is a FIFO in the
    /// run directory, so its processes are found in their own mount namespace too.
    static func processes(of directory: String) -> [(pid: pid_t, why: String)] {
        var found: [(pid_t, String)] = []
        let unique = (directory as NSString).lastPathComponent
        for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
            guard let pid = pid_t(name), pid != getpid() else { continue }
            let words = String(
                decoding: (FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()).map {
                    $0 == 0 ? 32 : $0
                },
                as: UTF8.self)
            if words.contains(unique) {
                found.append((pid, words))
                continue
            }
            var links = ["/proc/\(pid)/cwd", "/proc/\(pid)/root"]
            links += ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/fd")) ?? [])
                .map { "/proc/\(pid)/fd/\($0)" }
            for link in links {
                if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link),
                    target.contains(unique)
                {
                    found.append((pid, "\(words)has \(target) open"))
                    break
                }
            }
        }
        return found
    }

    static func mounts(below directory: String) -> [String] {
        String(
            decoding: FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data(), as: UTF8.self
        )
        .components(separatedBy: "\n")
        .compactMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 4 && fields[4].hasPrefix(directory) ? String(fields[4]) : nil
        }
    }

    /// Directories of these containers in any cgroup hierarchy.
    static func cgroups(of containers: Set<String>) -> [String] {
        guard !containers.isEmpty else { return [] }
        var found: [String] = []
        for hierarchy in Cgroups.hierarchies {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: hierarchy + "/ctr")) ?? []
            where containers.contains(where: { name.contains($0) }) {
                found.append("\(hierarchy)/ctr/\(name)")
            }
        }
        return found
    }

    /// /run/ctr/<hash>/<id>: every directory of a container must be gone with it.
    private static func runDirectories(below runRoot: String) -> [String] {
        var found: [String] = []
        for store in (try? FileManager.default.contentsOfDirectory(atPath: runRoot)) ?? [] {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: "\(runRoot)/\(store)")) ?? []
            where name.utf8.count == 64 {
                found.append("\(runRoot)/\(store)/\(name)")
            }
        }
        return found
    }
}

/// The machine's cgroup hierarchies: eight of v1 and one of v2 on a hybrid machine, one on a pure one.
enum Cgroups {
    static let hierarchies: [String] =
        String(
            decoding: FileManager.default.contents(atPath: "/proc/self/mountinfo") ?? Data(), as: UTF8.self
        )
        .components(separatedBy: "\n")
        .compactMap { line in
            let fields = line.split(separator: " ")
            guard let dash = fields.firstIndex(of: "-"), dash + 1 < fields.count, fields.count > 4 else {
                return nil
            }
            return fields[dash + 1] == "cgroup" || fields[dash + 1] == "cgroup2" ? String(fields[4]) : nil
        }

    /// Where a controller's files are: the v1 hierarchy of that name, or the only v2 one.
    static func controller(_ name: String) -> (path: String, isV2: Bool)? {
        if let path = hierarchies.first(where: {
            ($0 as NSString).lastPathComponent.split(separator: ",").contains(Substring(name))
        }) {
            return (path, false)
        }
        return hierarchies.first.map { ($0, true) }
    }
}
