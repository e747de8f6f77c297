package import Failure
package import LinuxSystem

/// The directory that holds everything (`--root`, `/var/lib/ctr`), by its descriptor, and the part of it that
/// this room owns:
///
/// ```
/// content/                        a valid OCI image layout (image-spec image-layout.md)
///   oci-layout, index.json        index.json is written from refs/, under locks/refs
///   blobs/sha256/<hex>            mode 0444; there under its name only when whole, verified and synced
///   blobs/sha512/<hex>
///   ingest/<algorithm>-<hex>/     a blob on its way: lock (a flock while its writer lives; holds the boot's id)
///                                 and data; resumable within the same boot
///   ingest/<algorithm>-<hex>.<random>/   the same, begun while another process held the first; never resumed
///   ingest/import.<random>/       a blob whose digest is known only at its end; never resumed
/// refs/<name>                     one image record a reference (`ImageRecord`); the truth that index.json repeats
/// refs/@sha256:<hex>              an image without a name, by its manifest
/// layers/<id>/                    unpacked layers: OverlayFS writes them, collection moves them to the trash
/// leases/<id>                     what a living process uses before a record names it; void without its flock
/// locks/store                     shared: who adds a reference, from resolve to record; exclusive: the sweep
/// locks/refs                      exclusive: who changes refs/ and index.json
/// locks/trash                     exclusive: who empties the trash
/// trash/<random>-<name>           what is removed already and only takes room
/// ```
package struct StoreRoot: Sendable {
    package let descriptor: SharedFileDescriptor

    package init(_ descriptor: SharedFileDescriptor) { self.descriptor = descriptor }

    /// Opens a root by its path and makes it (mode 0700) where it is missing.
    package static func open(_ path: String) throws(Failure) -> StoreRoot {
        try during("open the store \(path)") { () throws(SystemError) in
            try Directory.ensurePath(path)
            return StoreRoot(SharedFileDescriptor(try Directory.open(path)))
        }
    }

    package var raw: Int32 { descriptor.raw }

    /// A directory of the root, made where it is missing.
    package func directory(_ path: String) throws(SystemError) -> FileDescriptor {
        do throws(SystemError) {
            return try Directory.open(path, in: raw)
        } catch {
            guard error.code == .notFound else { throw error }
        }
        var made = ""
        for part in path.split(separator: "/") {
            made += made.isEmpty ? String(part) : "/\(part)"
            try Directory.ensure(made, in: raw)
        }
        return try Directory.open(path, in: raw)
    }

    /// The names in a directory of the root, sorted; none where it is missing.
    func names(in path: String) throws(SystemError) -> [String] {
        do throws(SystemError) {
            return try Directory.names(in: try Directory.open(path, in: raw))
        } catch {
            if error.code == .notFound { return [] }
            throw error
        }
    }

    /// The removal of everything below the root that can be large: a rename, done when it returns.
    package func moveToTrash(_ path: String) throws(SystemError) {
        let base = path.split(separator: "/").last.map(String.init) ?? path
        let name = "\(randomHex(bytes: 6))-\(base.prefix(160))"
        do throws(SystemError) {
            try Directory.rename(path, in: raw, to: "trash/\(name)", in: raw, replace: false)
        } catch {
            // Either the thing or the trash is missing; only the second can be mended.
            guard error.code == .notFound, try Directory.ensure("trash", in: raw) else { throw error }
            try Directory.rename(path, in: raw, to: "trash/\(name)", in: raw, replace: false)
        }
    }
}

extension StoreRoot {
    package enum Lock: String, Sendable {
        /// Shared for whoever adds a reference to content (from resolve to record), exclusive for the sweep.
        case store
        case refs
        case trash
    }

    /// Waits for a lock of the store. It goes with its owner or its process.
    package func lock(_ lock: Lock, _ mode: FileLock.Mode) throws(Failure) -> FileLock {
        try during("lock the store") { () throws(SystemError) in
            try Directory.ensure("locks", in: raw)
            return try FileLock("locks/\(lock.rawValue)", in: raw, mode)
        }
    }

    /// nil where somebody else holds it.
    package func attemptLock(_ lock: Lock, _ mode: FileLock.Mode) throws(Failure) -> FileLock? {
        try during("lock the store") { () throws(SystemError) in
            try Directory.ensure("locks", in: raw)
            return try FileLock.attempt("locks/\(lock.rawValue)", in: raw, mode)
        }
    }
}

/// Turns a system call's failure into one that says what was being done.
func during<R: ~Copyable>(
    _ doing: @autoclosure () -> String, _ body: () throws(SystemError) -> R
) throws(Failure) -> R {
    do throws(SystemError) {
        return try body()
    } catch {
        throw error.failure(doing())
    }
}
