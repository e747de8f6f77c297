package import Failure
import LinuxSystem

extension VolumeStore {
    /// Makes the volume if it is missing, notes that the container uses it, and, the first time, fills it.
    ///
    /// The container's directory (`containers/<id>` or `containers/.new/<id>`) must exist before the call: a use without one
    /// counts as left behind. Calling it again for the same container is harmless.
    ///
    /// - Parameter fill: copies what the image has at the mount's target into the open, empty directory whose descriptor it
    ///   gets, attributes of the directory included (``TreeCopy/copy(from:to:)``); nil for `nocopy`. It runs only for a volume
    ///   that is empty, was never filled and that no other container uses, under the volume's lock. When it throws, or the
    ///   process dies in it, the volume is as before.
    /// - Returns: the volume, and whether it was made by this call.
    @discardableResult
    package func use(
        _ specification: VolumeSpecification, by containerID: String,
        fill: ((_ directory: Int32) throws(Failure) -> Void)?
    ) throws(Failure) -> (volume: Volume, isNew: Bool) {
        // Somebody may remove the volume between its making and its use: then it is made again.
        for _ in 0..<Self.attempts {
            let (volume, isNew) = try create(specification)
            if try use(volume, by: containerID, fill: fill) { return (volume, isNew) }
        }
        throw Failure(.conflict, "use volume \(specification.name): it is removed again and again")
    }

    /// False when the volume is gone.
    private func use(
        _ volume: Volume, by containerID: String, fill: ((Int32) throws(Failure) -> Void)?
    ) throws(Failure) -> Bool {
        let path = "volumes/\(volume.name)"
        let doing = "use volume \(volume.name)"
        let isFilled = try during(doing) { () throws(SystemError) in
            try FileDescriptor.exists("\(path)/filled", in: root.raw)
        }
        let backing = try volume.backing
        if isFilled || backing != .directory { return try note(containerID, on: volume) }
        // Held over noting and filling: who does not fill must not mount the directory that a filling replaces.
        guard let filling = try lock("\(path)/fill.lock", doing) else { return false }
        defer { _ = filling.raw }
        guard try note(containerID, on: volume) else { return false }
        guard let fill else { return true }
        do throws(Failure) {
            if try mayBeFilled(volume, by: containerID) { try self.fill(volume, fill) }
        } catch {
            try? release(volume.name, by: containerID)
            throw error
        }
        return true
    }

    /// The container no longer uses the volume. No failure when it did not or the volume is gone.
    package func release(_ name: String, by containerID: String) throws(Failure) {
        guard VolumeName.isValid(name), Self.isContainerID(containerID),
            let lock = try lock("volumes/\(name)/lock", "release volume \(name)")
        else { return }
        defer { _ = lock.raw }
        try during("release volume \(name)") { () throws(SystemError) in
            try Self.allowingAbsence { () throws(SystemError) in
                try Directory.removeFile("volumes/\(name)/users/\(containerID)", in: root.raw)
            }
        }
    }

    /// The containers that use the volume, by id. Uses left behind by containers that are gone are not told.
    package func users(of name: String) throws(Failure) -> [String] {
        guard VolumeName.isValid(name) else { return [] }
        return try during("read the users of volume \(name)") { () throws(SystemError) in
            try living(noted(name))
        }
    }

    /// Takes a lock below the volume's directory; nil when that is gone.
    func lock(_ path: String, _ doing: String) throws(Failure) -> FileLock? {
        do throws(SystemError) {
            return try FileLock(path, in: root.raw, .exclusive)
        } catch {
            if error.code == .notFound { return nil }
            throw error.failure(doing)
        }
    }

    private func note(_ containerID: String, on volume: Volume) throws(Failure) -> Bool {
        guard Self.isContainerID(containerID) else {
            throw Failure(.internal, "use volume \(volume.name): \"\(containerID)\" is no id of a container")
        }
        guard let lock = try lock("volumes/\(volume.name)/lock", "use volume \(volume.name)") else {
            return false
        }
        defer { _ = lock.raw }
        try during("use volume \(volume.name)") { () throws(SystemError) in
            let users = try Directory.open("volumes/\(volume.name)/users", in: root.raw)
            do throws(SystemError) {
                _ = try FileDescriptor.open(
                    containerID, in: users.raw, [.writeOnly, .create, .exclusive, .noFollow])
            } catch {
                if error.code == .alreadyExists { return }
                throw error
            }
            try AtomicFile.synchronize(directory: users.raw)
        }
        return true
    }

    /// Under the volume's fill.lock.
    private func mayBeFilled(_ volume: Volume, by containerID: String) throws(Failure) -> Bool {
        try during("fill volume \(volume.name)") { () throws(SystemError) in
            let path = "volumes/\(volume.name)"
            if try FileDescriptor.exists("\(path)/filled", in: root.raw) { return false }
            guard try Directory.entries(of: try Directory.open("\(path)/data", in: root.raw)).isEmpty else {
                // Renamed by one that was killed before its mark, or written by a container that did not fill.
                try markFilled(volume)
                return false
            }
            return try living(noted(volume.name).filter { $0 != containerID }).isEmpty
        }
    }

    private func fill(_ volume: Volume, _ fill: (Int32) throws(Failure) -> Void) throws(Failure) {
        let doing = "fill volume \(volume.name)"
        let directory = try during(doing) { () throws(SystemError) in
            try Directory.open("volumes/\(volume.name)", in: root.raw)
        }
        let fresh = try during(doing) { () throws(SystemError) in
            try Directory.removeTree("data.new", in: directory.raw)
            try Directory.make("data.new", in: directory.raw)
            let fresh = try Directory.open("data.new", in: directory.raw)
            try fresh.changeMode(0o755)
            return fresh
        }
        do throws(Failure) {
            try fill(fresh.raw)
        } catch {
            try? Directory.removeTree("data.new", in: directory.raw)
            throw error.within(doing)
        }
        try during(doing) { () throws(SystemError) in
            failpoint("volume.filled")
            if try Directory.entries(of: fresh).isEmpty {
                try fresh.synchronize()
            } else {
                try fresh.synchronizeFileSystem()
            }
            failpoint("volume.fill-rename")
            // Onto an empty directory: nothing is lost if somebody wrote into it after all (ENOTEMPTY).
            try Directory.rename("data.new", in: directory.raw, to: "data", in: directory.raw)
            try AtomicFile.synchronize(directory: directory.raw)
            failpoint("volume.mark")
            try markFilled(volume)
        }
    }

    private func markFilled(_ volume: Volume) throws(SystemError) {
        let directory = try Directory.open("volumes/\(volume.name)", in: root.raw)
        _ = try FileDescriptor.open("filled", in: directory.raw, [.writeOnly, .create, .noFollow])
        try AtomicFile.synchronize(directory: directory.raw)
    }

    /// Every container that was noted, also those that are gone.
    func noted(_ name: String) throws(SystemError) -> [String] {
        do throws(SystemError) {
            return try Directory.names(in: try Directory.open("volumes/\(name)/users", in: root.raw))
        } catch {
            if error.code == .notFound { return [] }
            throw error
        }
    }

    private func living(_ containerIDs: [String]) throws(SystemError) -> [String] {
        var living: [String] = []
        for id in containerIDs where try isAlive(id) { living.append(id) }
        return living
    }

    /// In this order: a container that is being made is renamed from the first name to the second.
    func isAlive(_ containerID: String) throws(SystemError) -> Bool {
        if try FileDescriptor.exists("containers/.new/\(containerID)", in: root.raw) { return true }
        return try FileDescriptor.exists("containers/\(containerID)", in: root.raw)
    }

    static func allowingAbsence(_ body: () throws(SystemError) -> Void) throws(SystemError) {
        do throws(SystemError) {
            try body()
        } catch {
            if error.code != .notFound { throw error }
        }
    }

    /// One name of a file, whatever the form of ids is.
    private static func isContainerID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) }
    }
}
