package import Failure
package import LinuxSystem
package import OCI

/// A layer that is being written: `new-<random>/fs`. It becomes a layer by `commit`, or goes to the trash with its
/// owner.
package final class NewLayer {
    private let directory: SharedFileDescriptor
    private let trash: SharedFileDescriptor
    private let name: String
    private let lock: FileLock
    private let own: FileDescriptor
    /// The empty root to unpack into.
    package let root: FileDescriptor
    private var committed = false

    init(in directory: SharedFileDescriptor, trash: SharedFileDescriptor) throws(SystemError) {
        self.directory = directory
        self.trash = trash
        name = "new-\(randomHex(bytes: 8))"
        // The lock first: a sweep sees no directory without one.
        lock = try FileLock("\(name).lock", in: directory.raw, .exclusive)
        try Directory.make(name, in: directory.raw)
        own = try Directory.open(name, in: directory.raw)
        try Directory.make("fs", in: own.raw, mode: 0o755)
        root = try Directory.open("fs", in: own.raw)
        try root.changeMode(0o755)
    }

    deinit {
        if !committed { try? LayerStore.discard(name, from: directory.raw, to: trash.raw) }
        try? Directory.removeFile("\(name).lock", in: directory.raw)
    }

    /// Makes it the layer `id`, everything on the disk before the name is. Answers false where the layer was there
    /// already (this one is then given up).
    @discardableResult
    package func commit(_ id: Digest, _ record: LayerRecord) throws(Failure) -> Bool {
        try stage(record)
        do throws(SystemError) {
            try root.synchronizeFileSystem()
        } catch {
            throw error.failure("keep layer \(id.short)")
        }
        guard try name(id) else { return false }
        do throws(SystemError) {
            try AtomicFile.synchronize(directory: directory.raw)
        } catch {
            throw error.failure("keep layer \(id.short)")
        }
        return true
    }

    /// Writes the record beside the files. Of several layers that are to be kept together each is staged, then one
    /// syncfs makes all durable, then each gets its name, then `LayerStore.synchronize` makes the names durable.
    package func stage(_ record: LayerRecord) throws(Failure) {
        do throws(SystemError) {
            try AtomicFile.write(Array(record.text.utf8), to: "record", in: own.raw, durable: false)
        } catch {
            throw error.failure("write the record of a layer")
        }
    }

    /// The rename that makes a staged and synced layer `id`; false where it was there already.
    @discardableResult
    package func name(_ id: Digest) throws(Failure) -> Bool {
        let final = LayerStore.name(of: id)
        failpoint("layer.rename")
        do throws(SystemError) {
            try Directory.rename(name, in: directory.raw, to: final, in: directory.raw, replace: false)
        } catch {
            if error.isExists { return false }
            throw error.failure("keep layer \(id.short)")
        }
        committed = true
        // Whoever waits for it opens the name again and makes a new lock; FileLock sees to that.
        try? Directory.removeFile("\(final).lock", in: directory.raw)
        return true
    }
}
