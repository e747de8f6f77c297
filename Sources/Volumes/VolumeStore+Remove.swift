package import Failure
import LinuxSystem

extension VolumeStore {
    /// Removes the volume and its data, by a rename into the trash, which the caller has emptied by somebody.
    ///
    /// Throws `.notFound`, and `.conflict` when a container uses it, running or not, or it is being filled.
    package func remove(_ name: String) throws(Failure) {
        guard VolumeName.isValid(name), try isThere(name) else { throw Self.absent(name) }
        let users = try discard(name)
        guard users.isEmpty else {
            let shown = users.map { $0.prefix(12) }.joined(separator: ", ")
            throw Failure(
                .conflict,
                "volume \(name) is in use by \(users.count == 1 ? "container" : "containers") \(shown)",
                hint:
                    "Remove \(users.count == 1 ? "it" : "them") first: ctr rm \(shown.split(separator: ",").joined())."
            )
        }
    }

    /// Removes every volume that no container uses and that passes: anonymous ones only, or named ones too. Answers the names
    /// of those that are gone. One that is used meanwhile stays.
    package func prune(
        includingNamed: Bool, where passes: (Volume) -> Bool = { _ in true }
    ) throws(Failure) -> [String] {
        var removed: [String] = []
        for volume in try list().volumes where (includingNamed || volume.isAnonymous) && passes(volume) {
            do {
                if try discard(volume.name).isEmpty { removed.append(volume.name) }
            } catch {
                guard error.code == .notFound || error.code == .conflict else { throw error }
            }
        }
        return removed
    }

    /// Removes the anonymous volumes that were made for a container, as `rm -v` and `run --rm` do. The container's directory
    /// may be gone already; a volume that another container uses (`--volumes-from`) stays.
    package func removeAnonymous(of containerID: String, named names: [String]) throws(Failure) -> [String] {
        var removed: [String] = []
        for name in names where VolumeName.isAnonymous(name) {
            try release(name, by: containerID)
            guard try find(name)?.owner?.containerID == containerID else { continue }
            do {
                if try discard(name).isEmpty { removed.append(name) }
            } catch {
                guard error.code == .notFound || error.code == .conflict else { throw error }
            }
        }
        return removed
    }

    private func isThere(_ name: String) throws(Failure) -> Bool {
        try during("remove volume \(name)") { () throws(SystemError) in
            try FileDescriptor.exists("volumes/\(name)", in: root.raw)
        }
    }

    /// Answers who uses the volume, and has it in the trash when nobody does.
    private func discard(_ name: String) throws(Failure) -> [String] {
        let path = "volumes/\(name)"
        let doing = "remove volume \(name)"
        guard let lock = try lock("\(path)/lock", doing) else { throw Self.absent(name) }
        defer { _ = lock.raw }
        let users = try during(doing) { () throws(SystemError) in
            var alive: [String] = []
            for id in try noted(name) {
                if try isAlive(id) {
                    alive.append(id)
                } else {
                    try Self.allowingAbsence { () throws(SystemError) in
                        try Directory.removeFile("\(path)/users/\(id)", in: root.raw)
                    }
                }
            }
            return alive
        }
        guard users.isEmpty else { return users }
        let filling = try during(doing) { () throws(SystemError) in
            try FileLock.attempt("\(path)/fill.lock", in: root.raw, .exclusive)
        }
        guard let filling else { throw Failure(.conflict, "volume \(name) is being filled") }
        defer { _ = filling.raw }
        try during(doing) { () throws(SystemError) in
            try Directory.ensure("trash", in: root.raw)
            failpoint("volume.discard")
            try Directory.rename(
                path, in: root.raw, to: "trash/\(randomHex(bytes: 8))-\(name.prefix(64))", in: root.raw,
                replace: false)
            try Directory.open("volumes", in: root.raw).synchronize()
        }
        return []
    }
}
