package import Failure
package import LinuxSystem

/// The volumes below ctr's root directory.
///
/// ```
/// volumes/.lock              exclusive: who makes a volume
/// volumes/.new-<random>/     a volume that is being made, under that lock
/// volumes/<name>/record      what it was made with; never changed
///                lock        exclusive: who adds or removes a use, or the volume
///                fill.lock   exclusive: who uses a volume that is not filled yet
///                users/<id>  a container that uses it
///                data/       what is mounted
///                data.new/   a filling that goes on, or was killed: never mounted
///                filled      data is no longer to be filled from an image
/// ```
///
/// A volume is whole or absent: it is made under another name and renamed, and removed by a rename into `trash/`.
package struct VolumeStore: Sendable {
    let root: SharedFileDescriptor

    /// - Parameter root: ctr's root directory, open.
    package init(root: SharedFileDescriptor) {
        self.root = root
    }

    /// Opens ctr's root directory, which must exist.
    package init(path: String) throws(Failure) {
        root = SharedFileDescriptor(
            try during("open \(path)") { () throws(SystemError) in
                try FileDescriptor.open(path, [.readOnly, .directory])
            })
    }
}

extension VolumeStore {
    /// Makes a volume; one that exists already with the same labels and options is answered as it is (`isNew` false).
    /// Throws `.conflict` when it exists with others.
    @discardableResult
    package func create(_ specification: VolumeSpecification) throws(Failure) -> (volume: Volume, isNew: Bool)
    {
        // Somebody may remove it between the find that it is there and the look at it: then it is made again.
        for _ in 0..<Self.attempts {
            if let existing = try find(specification.name) {
                return (try accept(existing, for: specification), false)
            }
            if let volume = try make(specification) { return (volume, true) }
        }
        throw Failure(.conflict, "make volume \(specification.name): it is made and removed again and again")
    }

    static let attempts = 100

    /// Nil when the name is taken.
    private func make(_ specification: VolumeSpecification) throws(Failure) -> Volume? {
        let volume = Volume(
            name: specification.name, created: .now(), labels: specification.labels,
            driverOptions: specification.driverOptions, owner: specification.owner)
        try during("make the directory of volumes") { () throws(SystemError) in
            if try Directory.ensure("volumes", in: root.raw) {
                try AtomicFile.synchronize(directory: root.raw)
            }
        }
        return try during("make volume \(volume.name)") { () throws(SystemError) in
            let lock = try FileLock("volumes/.lock", in: root.raw, .exclusive)
            defer { _ = lock.raw }
            let volumes = try Directory.open("volumes", in: root.raw)
            try sweepUnfinished(volumes)
            return try make(volume, in: volumes) ? volume : nil
        }
    }

    /// The volume of this name, or nil.
    package func find(_ name: String) throws(Failure) -> Volume? {
        guard VolumeName.isValid(name) else { return nil }
        let bytes = try during("read volume \(name)") { () throws(SystemError) in
            do throws(SystemError) {
                return try AtomicFile.read("volumes/\(name)/record", in: root.raw, limit: 1 << 20)
            } catch {
                if error.code == .notFound { return nil }
                throw error
            }
        }
        if let bytes { return try Volume(name: name, parsing: bytes) }
        if try lacksRecord(name) {
            throw Failure(
                .dataLoss, "the record of volume \(name) is missing",
                hint: "Its data is kept; \"ctr volume rm \(name)\" removes it.")
        }
        return nil
    }

    /// The volume of this name; `.notFound` when there is none.
    package func inspect(_ name: String) throws(Failure) -> Volume {
        guard let volume = try find(name) else { throw Self.absent(name) }
        return volume
    }

    /// All volumes by name. `damaged` are those whose record cannot be read: they are still there, and no others suffer.
    package func list() throws(Failure) -> (volumes: [Volume], damaged: [String]) {
        var volumes: [Volume] = []
        var damaged: [String] = []
        for name in try names() {
            do {
                if let volume = try find(name) { volumes.append(volume) }
            } catch {
                guard error.code == .dataLoss else { throw error }
                damaged.append(name)
            }
        }
        return (volumes, damaged)
    }

    /// Where the volume's data is on the host: what is mounted, and `Mountpoint` in docker's words.
    ///
    /// - Parameter root: the path of the root directory that this store was opened for.
    package static func dataPath(_ volume: Volume, root: String) throws(Failure) -> String {
        switch try volume.backing {
        case .directory: "\(root)/volumes/\(volume.name)/data"
        case .bind(let path, _): path
        }
    }

    /// The directory with the volume's data, to be mounted by its descriptor.
    package func openData(_ volume: Volume) throws(Failure) -> FileDescriptor {
        let backing = try volume.backing
        return try during("open volume \(volume.name)") { () throws(SystemError) in
            switch backing {
            case .directory:
                return try Directory.open("volumes/\(volume.name)/data", in: root.raw)
            case .bind(let path, _):
                return try FileDescriptor.open(path, [.readOnly, .directory])
            }
        }
    }

    static func absent(_ name: String) -> Failure { Failure(.notFound, "no such volume: \(name)") }

    private func accept(_ existing: Volume, for specification: VolumeSpecification) throws(Failure) -> Volume
    {
        // No options asked for is any volume of the name, as of docker: the labels are those of its making.
        guard
            specification.driverOptions.isEmpty
                || Self.same(existing.driverOptions, specification.driverOptions)
        else {
            throw Failure(
                .conflict, "volume \(existing.name) exists with other options",
                hint: "Remove it first, or choose another name.")
        }
        return existing
    }

    private static func same(_ a: [MountRequest.KeyAndValue], _ b: [MountRequest.KeyAndValue]) -> Bool {
        Dictionary(a.map { ($0.key, $0.value) }) { $1 } == Dictionary(b.map { ($0.key, $0.value) }) { $1 }
    }

    /// By one directory's descriptor: a volume that is removed, or removed and made again, while this looks is not
    /// damaged.
    private func lacksRecord(_ name: String) throws(Failure) -> Bool {
        try during("read volume \(name)") { () throws(SystemError) in
            do throws(SystemError) {
                let directory = try Directory.open("volumes/\(name)", in: root.raw)
                if try FileDescriptor.exists("record", in: directory.raw) { return false }
                let seen = try directory.status()
                let named = try FileDescriptor.status("volumes/\(name)", in: root.raw)
                return seen.inode == named.inode && seen.device == named.device
            } catch {
                if error.isMissing { return false }
                throw error
            }
        }
    }

    /// Names of what is or was a volume, sorted.
    func names() throws(Failure) -> [String] {
        try during("list the volumes") { () throws(SystemError) in
            guard try FileDescriptor.exists("volumes", in: root.raw) else { return [] }
            return try Directory.names(in: try Directory.open("volumes", in: root.raw))
                .filter(VolumeName.isValid)
        }
    }
}

extension VolumeStore {
    /// `.new-…` can be no volume's name.
    private static let unfinishedPrefix = ".new-"

    /// Under the lock of all: what is unfinished belongs to a process that was killed.
    private func sweepUnfinished(_ volumes: borrowing FileDescriptor) throws(SystemError) {
        for entry in try Directory.entries(of: volumes)
        where entry.name.bytes.starts(with: Self.unfinishedPrefix.utf8) {
            try Directory.removeTree(entry.name, in: volumes.raw)
        }
    }

    /// Answers false when the name is taken.
    private func make(_ volume: Volume, in volumes: borrowing FileDescriptor) throws(SystemError) -> Bool {
        let fresh = "\(Self.unfinishedPrefix)\(randomHex(bytes: 6))"
        try Directory.make(fresh, in: volumes.raw, mode: 0o700)
        do throws(SystemError) {
            let directory = try Directory.open(fresh, in: volumes.raw)
            try Directory.make("users", in: directory.raw)
            try Directory.make("data", in: directory.raw)
            // Not by mkdir's mode, from which the umask takes.
            try Directory.open("data", in: directory.raw).changeMode(0o755)
            failpoint("volume.record")
            try AtomicFile.write(volume.record.bytes, to: "record", in: directory.raw)
            failpoint("volume.rename")
            try Directory.rename(fresh, in: volumes.raw, to: volume.name, in: volumes.raw, replace: false)
        } catch {
            try? Directory.removeTree(fresh, in: volumes.raw)
            if error.code == .alreadyExists { return false }
            throw error
        }
        try AtomicFile.synchronize(directory: volumes.raw)
        return true
    }
}
