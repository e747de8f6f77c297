internal import Layers
internal import Engine
internal import Archive
internal import Failure
internal import LinuxSystem
internal import OverlayFS

extension CopySource {
    /// The source as a tar, its names beginning with the source's own.
    func writeTar(to number: Int32) throws(Failure) {
        let place = try locate()
        let path = path
        let output = TarOutput(number)
        let writer = output.writer()
        let tree = TarTree(writer)
        let kernel = kernelDevices()
        tree.includes = { _, status in !kernel.contains(status.device) }
        tree.includesAttribute = { CopyPolicy.asItIs.copies(attribute: $0) }
        if let maps = side.maps { tree.owner = { maps.inside(uid: $0.uid, gid: $0.gid) } }
        try tree.add(
            RawPath(place.name), in: place.parent.raw, as: RawPath(path.wantsContents ? "" : path.name))
        try output.finish(writer)
    }

    /// The device numbers of what the kernel shows at a running container's usual places.
    private func kernelDevices() -> Set<UInt64> {
        var devices: Set<UInt64> = []
        for path in ["/proc", "/sys", "/sys/fs/cgroup", "/dev/pts", "/dev/mqueue"] {
            guard let directory = try? side.open(path, [.readOnly, .directory]),
                KernelFileSystem.isOne(directory), let status = try? directory.status()
            else { continue }
            devices.insert(status.device)
        }
        return devices
    }
}

extension CopyTarget {
    /// Unpacks a tar, plain or compressed, into a directory; owners as the tar has them. Links that are in the way are
    /// followed inside the container, as its own tar would.
    func unpack(from number: Int32) throws(Failure) {
        let place = try locate(CopyPath(given))
        guard place.status?.kind == .directory else {
            throw Failure(
                place.status == nil ? .notFound : .invalidArgument,
                "destination \"\(shown)\" must be a directory")
        }
        let reader = try TarInput(number).reader()
        var times: [(path: String, entry: TarEntry)] = []
        while var entry = try reader.next() {
            do throws(Failure) {
                if let maps = side.maps {
                    (entry.uid, entry.gid) = try maps.outside(uid: entry.uid, gid: entry.gid)
                }
                if let path = try unpack(entry, reader), entry.kind == .directory {
                    times.append((path, entry))
                }
            } catch {
                throw error.within("copy to \(shown), \(entry.path.shown)")
            }
        }
        while let (path, entry) = times.popLast() {
            try during("copy to \(shown), \(entry.path.shown)") { () throws(SystemError) in
                let directory = try side.open(path, [.readOnly, .directory])
                try directory.changeMode(entry.mode)
                try directory.changeTimes(accessed: entry.modified, modified: entry.modified)
            }
        }
        try reader.drain()
    }

    /// Answers the path of what was made; nil for the target directory itself.
    private func unpack(_ entry: TarEntry, _ reader: TarReader) throws(Failure) -> String? {
        let (directory, name) = try split(entry.path)
        guard let name else { return nil }
        try ensureParents(directory)
        let parent = try opened(directory)
        try during("write it") { () throws(SystemError) in
            if case .directory = entry.kind {
                if try FileCopy.ensureDirectory(RawPath(name), in: parent.raw) {
                    try Directory.changeOwner(name, in: parent.raw, uid: entry.uid, gid: entry.gid)
                }
            }
        }
        switch entry.kind {
        case .directory: break
        case .file: try write(entry, reader, name, parent)
        case .hardLink(let target):
            let (place, last) = try split(target)
            guard let last else { throw Failure(.invalidArgument, "a hard link to a directory") }
            let from = try opened(place)
            try put(name, parent) { (fresh) throws(SystemError) in
                try Directory.link(last, in: from.raw, to: fresh, in: parent.raw)
            }
        case .symlink(let target):
            try put(name, parent) { (fresh) throws(SystemError) in
                try Directory.symlink(target, at: fresh, in: parent.raw)
                try Directory.changeOwner(fresh, in: parent.raw, uid: entry.uid, gid: entry.gid)
            }
        case .fifo: try node(entry, 0o010000, 0, 0, name, parent)
        case .characterDevice(let major, let minor): try node(entry, 0o020000, major, minor, name, parent)
        case .blockDevice(let major, let minor): try node(entry, 0o060000, major, minor, name, parent)
        case .socket: break
        }
        return "\(directory)/\(name)"
    }

    /// The path of an entry below the target, as a directory and a name; no name for the target itself.
    private func split(_ path: RawPath) throws(Failure) -> (directory: String, name: String?) {
        guard let clean = LayerPath(cleaning: path) else {
            throw Failure(.invalidArgument, "its path leaves the directory")
        }
        guard let text = String(validating: clean.raw.bytes, as: UTF8.self) else {
            throw Failure(.unsupported, "its name is not UTF-8")
        }
        guard let name = clean.isRoot ? nil : text.split(separator: "/").last else { return (given, nil) }
        let head = text.dropLast(name.count)
        return (head.isEmpty ? given : "\(given)/\(head.dropLast())", String(name))
    }

    private func opened(_ directory: String) throws(Failure) -> SharedFileDescriptor {
        try during("open \(directory)") { () throws(SystemError) in
            SharedFileDescriptor(try side.open(directory, [.pathOnly, .directory]))
        }
    }

    private func ensureParents(_ directory: String) throws(Failure) {
        guard directory != given, let root = side.root else { return }
        do throws(SystemError) {
            _ = try side.open(directory, [.pathOnly, .directory])
        } catch {
            guard error.isMissing else { throw error.failure("open \(directory)") }
            try MountTargets(root: root).ensure(directory, isDirectory: true)
        }
    }

    private func put(
        _ name: String, _ parent: SharedFileDescriptor, _ make: (RawPath) throws(SystemError) -> Void
    ) throws(Failure) {
        try during("write it") { () throws(SystemError) in
            try FileCopy.put(RawPath(name), in: parent.raw, make)
        }
    }

    private func write(
        _ entry: TarEntry, _ reader: TarReader, _ name: String, _ parent: SharedFileDescriptor
    ) throws(Failure) {
        var trouble: Failure?
        try put(name, parent) { (fresh) throws(SystemError) in
            let file = try FileDescriptor.open(
                fresh, in: parent.raw, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600)
            do throws(Failure) {
                while let (offset, bytes) = try reader.nextData() {
                    try during("write it") { () throws(SystemError) in try file.write(bytes, at: offset) }
                }
            } catch {
                trouble = error
                throw (error.cause as? SystemError) ?? SystemError.damaged(name)
            }
            try file.truncate(to: Int64(clamping: entry.size))
            try file.changeOwner(uid: entry.uid, gid: entry.gid)
            try file.changeMode(entry.mode)
            for attribute in entry.attributes where CopyPolicy.asItIs.copies(attribute: attribute.name) {
                try ExtendedAttributes.set(attribute.name, attribute.value, on: file)
            }
            try file.changeTimes(accessed: entry.modified, modified: entry.modified)
        } wrapping: {
            trouble
        }
    }

    private func put(
        _ name: String, _ parent: SharedFileDescriptor, _ make: (RawPath) throws(SystemError) -> Void,
        wrapping trouble: () -> Failure?
    ) throws(Failure) {
        do throws(Failure) {
            try put(name, parent, make)
        } catch {
            throw trouble() ?? error
        }
    }

    private func node(
        _ entry: TarEntry, _ type: UInt32, _ major: UInt32, _ minor: UInt32, _ name: String,
        _ parent: SharedFileDescriptor
    ) throws(Failure) {
        try put(name, parent) { (fresh) throws(SystemError) in
            try Directory.makeNode(fresh, in: parent.raw, mode: type | 0o600, major: major, minor: minor)
            try Directory.changeOwner(fresh, in: parent.raw, uid: entry.uid, gid: entry.gid)
            try Directory.changeModeNoFollow(fresh, in: parent.raw, entry.mode)
        }
    }
}
