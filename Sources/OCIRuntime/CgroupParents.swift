internal import LinuxSystem
internal import Runtime

/// The directories above a container's cgroups, where linux.cgroupsPath has several parts. Those that are made here bear a
/// mark, an extended attribute, and go with the last container below them, whoever that is. What others have made bears none
/// and stays.
enum CgroupParents {
    /// Of `ctr run`, which counts on it.
    private static let shared = "ctr"
    private static let mark = UserNamespace.isNested ? "user.ctr-made" : "trusted.ctr-made"

    /// Makes the container's own directories, and marks what has to be made above them. From here on that is not empty.
    /// - Parameter mounts: of the hierarchies.
    static func make(_ paths: [String], below mounts: [String]) throws(SystemError) {
        for path in paths {
            guard let mount = mounts.first(where: { path.hasPrefix("\($0)/") }) else { continue }
            let names = path.dropFirst(mount.count).split(separator: "/")
            var tries = 0
            while true {
                do throws(SystemError) {
                    if names.first.map(String.init) == shared {
                        try Directory.ensurePath(path, mode: 0o755)
                    } else {
                        try makeMarked(names.dropLast(), below: mount)
                        // Itself alone: parents that went meanwhile would come back without a mark.
                        try makeOne(path)
                    }
                    break
                } catch {
                    // Another container's end takes away what is empty for this moment.
                    tries += 1
                    guard error.errno == Errno.noEntry, tries < 100 else { throw error }
                }
            }
        }
    }

    private static func makeOne(_ path: String) throws(SystemError) {
        do throws(SystemError) { try Directory.make(path, mode: 0o755) } catch {
            guard error.errno == Errno.exists else { throw error }
        }
    }

    private static func makeMarked(_ names: ArraySlice<Substring>, below mount: String) throws(SystemError) {
        var path = mount
        for name in names {
            path += "/\(name)"
            do throws(SystemError) { try Directory.make(path, mode: 0o755) } catch {
                guard error.errno == Errno.exists else { throw error }
                continue
            }
            // On a kernel that keeps none it stays, as what others have made.
            guard let directory = try? Directory.open(path) else { continue }
            try? ExtendedAttributes.set(mark, [], on: directory)
        }
    }

    /// After the container's own: what is marked above them, up to what is not, or is not empty.
    static func remove(above paths: [String]) {
        for path in paths {
            var parent = above(path)
            while let place = parent, isMarked(place), (try? Directory.removeEmpty(place)) != nil {
                parent = above(place)
            }
        }
    }

    private static func isMarked(_ path: String) -> Bool {
        guard let directory = try? Directory.open(path) else { return false }
        return ((try? ExtendedAttributes.value(mark, of: directory)) ?? nil) != nil
    }

    private static func above(_ path: String) -> String? {
        path.lastIndex(of: "/").map { String(path[..<$0]) }
    }
}
