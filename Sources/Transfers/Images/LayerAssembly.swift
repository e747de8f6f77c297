internal import Layers
internal import Engine
internal import Archive
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS

/// The layers of one image, on their way to directories in `layers/`.
///
/// A layer that needs nothing of those below it is kept by its diffID and shared by all images; one that does is
/// fixed up on its parents and kept by its chainID.
struct LayerAssembly {
    struct Outcome {
        /// Names in `layers/`, from the bottom up.
        var directories: [String] = []
        /// Bytes of all files.
        var size: Int64 = 0
        /// Layers were unpacked that were there already; they are in the trash.
        var hasDuplicates = false
    }

    private struct Pending {
        let id: Digest
        let layer: FreshLayer
        let record: LayerRecord
    }

    let layers: LayerStore
    let content: ContentStore
    let descriptors: [Descriptor]
    let diffIDs: [Digest]
    let chainIDs: [Digest]
    /// Unpacked already, by diffID.
    private var fresh: [Digest: FreshLayer] = [:]
    private var pending: [Pending] = []

    init(layers: LayerStore, content: ContentStore, descriptors: [Descriptor], diffIDs: [Digest])
        throws(Failure)
    {
        self.layers = layers
        self.content = content
        self.descriptors = descriptors
        self.diffIDs = diffIDs
        var chain: [Digest] = []
        for diffID in diffIDs {
            if let below = chain.last {
                chain.append(try ContentHash.digest(of: Array("\(below) \(diffID)".utf8)))
            } else {
                chain.append(diffID)
            }
        }
        chainIDs = chain
    }

    /// Every name in `layers/` that a layer of this image may have.
    var possibleNames: [String] { Array(Set(diffIDs + chainIDs)).map(LayerStore.name) }

    mutating func add(_ layer: FreshLayer, diffID: Digest) { fresh[diffID] = layer }

    /// The id under which the layer at this place is unpacked; nil where it is not.
    func unpacked(_ place: Int) throws(Failure) -> Digest? {
        let diffID = diffIDs[place]
        // One that stands at an image's bottom may lack what it would take from parents elsewhere.
        if try layers.exists(diffID) {
            if place == 0 { return diffID }
            if try !layers.record(of: diffID).needsParents { return diffID }
        }
        let chainID = chainIDs[place]
        return try layers.exists(chainID) ? chainID : nil
    }

    /// Unpacks what is missing from the content store, joins layers to their parents, and makes blobs and layers
    /// durable: one sync of the file system for all of them, then the names.
    mutating func complete(publishing ingests: [Ingest] = []) throws(Failure) -> Outcome {
        var outcome = Outcome()
        var ids: [Digest] = []
        for place in diffIDs.indices {
            let (id, size) = try settle(place, on: ids)
            ids.append(id)
            outcome.size += size
        }
        try store(publishing: ingests)
        outcome.directories = ids.map(LayerStore.name)
        outcome.hasDuplicates = !fresh.isEmpty
        fresh = [:]
        return outcome
    }

    /// Stores the layers unpacked so far that need no parents, and the blobs, while others are still to come.
    mutating func storeEarly(publishing ingests: [Ingest]) throws(Failure) {
        for (diffID, layer) in fresh where !layer.record.needsParents {
            pending.append(Pending(id: diffID, layer: layer, record: layer.record))
            fresh[diffID] = nil
        }
        try store(publishing: ingests)
    }

    private mutating func store(publishing ingests: [Ingest]) throws(Failure) {
        if !pending.isEmpty || !ingests.isEmpty {
            for layer in pending { try layer.layer.new.stage(layer.record) }
            try content.synchronize()
            failpoint("image.synced")
            try content.publish(ingests, synchronized: true)
            failpoint("image.published")
            for layer in pending {
                try layer.layer.new.name(layer.id)
                failpoint("image.layer")
            }
            if !pending.isEmpty { try layers.synchronize() }
        }
        pending = []
    }

    private mutating func settle(_ place: Int, on ids: [Digest]) throws(Failure) -> (Digest, Int64) {
        let diffID = diffIDs[place]
        let chainID = chainIDs[place]
        for found in pending where found.id == diffID || found.id == chainID {
            if place == 0 || !found.record.needsParents {
                return (found.id, Int64(clamping: found.record.size))
            }
        }
        if let id = try unpacked(place) { return (id, Int64(clamping: try layers.record(of: id).size)) }
        let layer: FreshLayer
        if let ready = fresh.removeValue(forKey: diffID) {
            layer = ready
        } else {
            layer = try unpack(place)
        }
        var id = diffID
        var record = layer.record
        if record.needsParents {
            let joined = try join(layer, to: ids)
            // At the bottom the id is the diffID: its record goes on telling that it is no layer for other places.
            if place > 0 { (id, record) = (chainID, joined) }
        }
        pending.append(Pending(id: id, layer: layer, record: record))
        return (id, Int64(clamping: record.size))
    }

    private func join(_ layer: FreshLayer, to ids: [Digest]) throws(Failure) -> LayerRecord {
        var opened: [SharedFileDescriptor] = []
        var parents: [Int32] = []
        for id in ids.reversed() {
            if let found = pending.first(where: { $0.id == id }) {
                parents.append(found.layer.new.root.raw)
            } else {
                let root = SharedFileDescriptor(try layers.open(id))
                opened.append(root)
                parents.append(root.raw)
            }
        }
        defer { withExtendedLifetime(opened) {} }
        return try LayerFixUp.run(layer.new.root.raw, layer.record, parents: parents)
    }

    /// From the content store.
    func unpack(_ place: Int) throws(Failure) -> FreshLayer {
        let descriptor = descriptors[place]
        let name = "layer \(descriptor.digest.short)"
        let blob = try openBlob(descriptor.digest, name)
        let unpacking = try LayerUnpacking(in: layers, diffID: diffIDs[place], name: name)
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { room.deallocate() }
        while true {
            let got = try during("read \(name)") { () throws(SystemError) in try blob.read(into: room) }
            if got == 0 { break }
            try unpacking.feed(UnsafeRawBufferPointer(rebasing: room[..<got]))
        }
        return try unpacking.finish().layer
    }

    private func openBlob(_ digest: Digest, _ name: String) throws(Failure) -> FileDescriptor {
        do throws(Failure) {
            return try content.open(digest)
        } catch {
            guard error.code == .notFound else { throw error }
            throw Failure(
                .notFound, "\(name) is neither unpacked nor in the store",
                hint: "pull or build the image again", cause: error)
        }
    }
}
