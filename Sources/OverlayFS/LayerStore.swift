package import Failure
package import LinuxSystem
package import OCI

/// Unpacked layers below one directory: `<id>/fs` with its `record` and perhaps the name of a blob made of it (`blob`), `new-<random>/` while one is written (and
/// `new-<random>.lock`, whose flock says that its writer lives), `<id>.lock` while somebody means to write `<id>`.
///
/// An id is a digest: the layer's diffID, or its chainID where the layer needs its parents.
package struct LayerStore: Sendable {
    let directory: SharedFileDescriptor
    private let trash: SharedFileDescriptor

    /// `path` and `trash` are directories on one file system; both are made where they are missing.
    package init(path: String, trash: String) throws(Failure) {
        do throws(SystemError) {
            try Directory.ensurePath(path)
            try Directory.ensurePath(trash)
            directory = SharedFileDescriptor(try Directory.open(path))
            self.trash = SharedFileDescriptor(try Directory.open(trash))
        } catch {
            throw error.failure("open the layers at \(path)")
        }
    }

    package static func name(of id: Digest) -> String {
        id.algorithm == .sha256 ? id.hex : "\(id.algorithm.rawValue)-\(id.hex)"
    }

    package func exists(_ id: Digest) throws(Failure) -> Bool { try isThere(LayerStore.name(of: id)) }

    /// The layer's files, for mounting.
    package func open(_ id: Digest) throws(Failure) -> FileDescriptor {
        try open(named: LayerStore.name(of: id))
    }

    /// The same by the directory's name.
    package func open(named name: String) throws(Failure) -> FileDescriptor {
        do throws(SystemError) {
            return try FileDescriptor.open(
                "\(name)/fs", in: directory.raw, [.pathOnly, .directory, .noFollow],
                resolve: [.beneath, .noSymlinks])
        } catch {
            throw error.failure("open layer \(name.prefix(12))", hint: missingHint(error))
        }
    }

    package func isThere(_ name: String) throws(Failure) -> Bool {
        do throws(SystemError) {
            return try FileDescriptor.exists(name, in: directory.raw)
        } catch {
            throw error.failure("look for layer \(name.prefix(12))")
        }
    }

    package func record(of id: Digest) throws(Failure) -> LayerRecord {
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try AtomicFile.read(
                "\(LayerStore.name(of: id))/record", in: directory.raw, limit: 256 << 20)
        } catch {
            throw error.failure("read the record of layer \(id.short)")
        }
        guard let bytes else {
            throw Failure(.notFound, "layer \(id.short) is not unpacked", hint: "pull the image again")
        }
        return try LayerRecord(text: String(decoding: bytes, as: UTF8.self))
    }

    /// All unpacked layers, by their directories' names.
    package func names() throws(Failure) -> [String] {
        do throws(SystemError) {
            return try Directory.names(in: try listing()).filter {
                !$0.hasPrefix("new-") && !$0.hasSuffix(".lock") && !$0.hasPrefix(".")
            }
        } catch {
            throw error.failure("list the layers")
        }
    }

    /// Held while one process unpacks the layer: a second one waits here and then finds it.
    package func lock(_ id: Digest) throws(Failure) -> FileLock {
        do throws(SystemError) {
            return try FileLock("\(LayerStore.name(of: id)).lock", in: directory.raw, .exclusive)
        } catch {
            throw error.failure("lock layer \(id.short)")
        }
    }

    /// As `lock`; nil where another holds it.
    package func tryLock(_ id: Digest) throws(Failure) -> FileLock? {
        do throws(SystemError) {
            return try FileLock.attempt("\(LayerStore.name(of: id)).lock", in: directory.raw, .exclusive)
        } catch {
            throw error.failure("lock layer \(id.short)")
        }
    }

    /// A new layer's directory; nobody sweeps it while the answer lives.
    package func begin() throws(Failure) -> NewLayer {
        do throws(SystemError) {
            return try NewLayer(in: directory, trash: trash)
        } catch {
            throw error.failure("make a directory for a layer")
        }
    }

    /// Makes names given by `NewLayer.name` durable.
    package func synchronize() throws(Failure) {
        do throws(SystemError) {
            try AtomicFile.synchronize(directory: directory.raw)
        } catch {
            throw error.failure("sync the layers")
        }
    }

    /// Takes the layer away by a rename into the trash. A layer that is gone is no error.
    package func remove(_ id: Digest) throws(Failure) {
        do throws(SystemError) {
            try LayerStore.discard(LayerStore.name(of: id), from: directory.raw, to: trash.raw)
        } catch {
            throw error.failure("remove layer \(id.short)")
        }
    }

    /// Moves what writers that died have left into the trash; answers how many directories that were.
    @discardableResult
    package func sweep() throws(Failure) -> Int {
        var count = 0
        do throws(SystemError) {
            let names = try Directory.names(in: try listing())
            for name in names where name.hasPrefix("new-") || name.hasSuffix(".lock") {
                let isLock = name.hasSuffix(".lock")
                // A new layer's lock goes with its directory.
                if isLock, name.hasPrefix("new-"), names.contains(String(name.dropLast(5))) { continue }
                let lock = isLock ? name : name + ".lock"
                guard let held = try FileLock.attempt(lock, in: directory.raw, .exclusive) else { continue }
                if !isLock {
                    try LayerStore.discard(name, from: directory.raw, to: trash.raw)
                    count += 1
                }
                try Directory.removeFile(lock, in: directory.raw)
                _ = consume held
            }
        } catch {
            throw error.failure("sweep the layers")
        }
        return count
    }

    static func discard(_ name: String, from directory: Int32, to trash: Int32) throws(SystemError) {
        do throws(SystemError) {
            try Directory.rename(
                name, in: directory, to: "layer-\(randomHex(bytes: 8))", in: trash, replace: false)
        } catch {
            if !error.isMissing { throw error }
        }
    }

    private func listing() throws(SystemError) -> FileDescriptor {
        try FileDescriptor.open(".", in: directory.raw, [.readOnly, .directory])
    }

    private func missingHint(_ error: SystemError) -> String? {
        error.isMissing ? "the layer is not unpacked; pull the image again" : nil
    }
}
