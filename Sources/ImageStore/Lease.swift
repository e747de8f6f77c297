package import Failure
internal import LinuxSystem
package import OCI
internal import Synchronization

/// What a living process uses before a record names it: blobs on their way, layers half an image. A file in
/// `leases/` with a flock; when the process dies the lease is void, and the next collection removes the file.
package final class Lease: Sendable {
    private let root: StoreRoot
    private let name: String
    private let state: Mutex<FileLock?>

    private init(root: StoreRoot, name: String, lock: consuming FileLock) {
        self.root = root
        self.name = name
        state = Mutex(lock)
    }

    /// Takes a lease. It lasts until `release`, or as long as the value.
    package static func take(in root: StoreRoot) throws(Failure) -> Lease {
        try during("take a lease") { () throws(SystemError) in
            let name = "leases/\(randomHex(bytes: 8))"
            _ = try root.directory("leases")
            return Lease(root: root, name: name, lock: try FileLock(name, in: root.raw, .exclusive))
        }
    }

    /// Keeps blobs and layers from collection, those that are there already and those to come: what is found after
    /// this call stays. Waits while a sweep is at work.
    /// A manifest or index that is there keeps what it refers to.
    package func protect(digests: [Digest] = [], layers: [String] = []) throws(Failure) {
        var text = ""
        for digest in digests { text += "blob \(digest)\n" }
        for layer in layers { text += "layer \(layer)\n" }
        let lock = try root.lock(.store, .shared)
        defer { _ = lock.raw }
        let held = state.withLock { $0 != nil }
        guard held else { throw Failure(.internal, "a lease was used after its release") }
        try during("write a lease") { () throws(SystemError) in
            try FileDescriptor.open(name, in: root.raw, [.writeOnly, .append, .noFollow]).write(text)
        }
    }

    package func release() {
        state.withLock { lock in
            guard lock != nil else { return }
            try? Directory.removeFile(name, in: root.raw)
            lock = nil
        }
    }

    deinit { release() }

    /// What the living leases hold; files of dead ones are removed. The caller has the store's lock exclusively.
    package static func held(in root: StoreRoot) throws(Failure) -> (digests: [Digest], layers: [String]) {
        try during("read the leases") { () throws(SystemError) in
            var digests: [Digest] = []
            var layers: [String] = []
            for name in try root.names(in: "leases") {
                let path = "leases/\(name)"
                if let dead = try FileLock.attempt(path, in: root.raw, .exclusive) {
                    try? Directory.removeFile(path, in: root.raw)
                    _ = dead.raw
                    continue
                }
                let bytes = try AtomicFile.read(path, in: root.raw) ?? []
                for line in bytes.split(separator: 0x0a) {
                    let parts = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 1)
                    guard parts.count == 2 else { continue }
                    if parts[0] == "blob", let digest = try? Digest(String(parts[1])) {
                        digests.append(digest)
                    }
                    if parts[0] == "layer" { layers.append(String(parts[1])) }
                }
            }
            return (digests, layers)
        }
    }
}
