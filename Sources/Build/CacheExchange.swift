internal import Engine
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import Transfers

/// A cache on its way out and in is an image like any other: its layers are those of the steps, and a label of its config
/// for each step has the record that the local cache would have.
private enum CacheLabel {
    static let prefix = "io.ctr.buildcache.v1."

    static func text(_ entry: BuildCache.Entry) -> String {
        entry.key + "\n" + String(decoding: BuildCache.encode(entry), as: UTF8.self)
    }

    static func entry(_ text: String) -> BuildCache.Entry? {
        guard let end = text.firstIndex(of: "\n"), text[..<end].utf8.count == 64 else { return nil }
        return
            (try? BuildCache.decode(
                Array(text[text.index(after: end)...].utf8), key: String(text[..<end]))) ?? nil
    }
}

/// `--cache-from`: steps that builds elsewhere have made. Their layers are fetched when a step hits them.
final class ImportedCaches: Sendable {
    private struct Found: Sendable {
        let entry: BuildCache.Entry
        let cache: RemoteBuildCache
    }

    private let entries: [String: Found]

    /// One that cannot be read is told of and does without: it is a cache.
    init(_ locations: [CacheLocation], for engine: Engine, _ progress: any BuildProgress) {
        var entries: [String: Found] = [:]
        for location in locations {
            do throws(Failure) {
                let cache: RemoteBuildCache
                switch location.kind {
                case .registry(let name): cache = try engine.buildCache(at: try Reference.parse(name))
                case .local(let path): cache = try engine.buildCache(inLayout: path)
                }
                let labels = (cache.config.config?.labels ?? [:]).filter {
                    $0.key.hasPrefix(CacheLabel.prefix)
                }
                if labels.isEmpty {
                    progress.warned("[Warning] --cache-from \(location.shown): no cache of ctr's")
                }
                for label in labels.values {
                    guard let entry = CacheLabel.entry(label), entries[entry.key] == nil else { continue }
                    entries[entry.key] = Found(entry: entry, cache: cache)
                }
            } catch {
                progress.warned("[Warning] --cache-from \(location.shown): \(error.message)")
            }
        }
        self.entries = entries
    }

    /// Fetched, verified and given to the local cache by the caller. A layer that cannot be had is made anew.
    func layer(_ key: String, _ session: BuildSession, _ step: Int) throws(Failure) -> (
        BuildCache.Entry, BuiltLayer
    )? {
        guard let found = entries[key], found.entry.epoch == session.epoch.seconds else { return nil }
        let entry = found.entry
        do throws(Failure) {
            session.progress.told(step, "importing \(entry.diffID.short) from the cache")
            guard let (new, record) = try found.cache.layer(entry.diffID, for: session.engine) else {
                return nil
            }
            let root = try during("open the new layer") { () throws(SystemError) in
                SharedFileDescriptor(
                    try FileDescriptor.open(".", in: new.root.raw, [.pathOnly, .directory]))
            }
            let layer = BuiltLayer(
                diffID: entry.diffID, identity: entry.identity,
                descriptor: Descriptor(
                    mediaType: MediaType.layer, digest: entry.diffID, size: entry.tarSize),
                directory: entry.directory, size: entry.size, root: root, fresh: new, record: record)
            return (entry, layer)
        } catch {
            session.progress.told(step, "the cache could not give it: \(error.message)")
            return nil
        }
    }
}

extension BuildSession {
    /// `--cache-to`
    func exportCache(_ result: StageResult) throws(Failure) {
        for location in request.cacheTargets {
            let number = nextStep()
            progress.began(number, "exporting cache to \(location.shown)")
            do throws(Failure) {
                let image = try cacheImage(location.isMaximal ? nil : Set(result.chain.layers.map(\.diffID)))
                switch location.kind {
                case .registry(let name):
                    try engine.pushBuildCache(image, to: try Reference.parse(name), lease: lease)
                case .local(let path): try engine.saveBuildCache(image, to: path, lease: lease)
                }
                progress.ended(number, .done)
            } catch {
                progress.ended(number, .failed(error.message))
                throw error.within("--cache-to \(location.shown)")
            }
        }
    }

    /// - Parameter wanted: nil for all steps.
    private func cacheImage(_ wanted: Set<Digest>?) throws(Failure) -> ImageRecord {
        var labels: [String: String] = [:]
        var layers: [BuiltLayer] = []
        for (entry, layer) in allUsed.sorted(by: { $0.entry.key < $1.entry.key }) {
            if let wanted, !wanted.contains(layer.diffID) { continue }
            labels["\(CacheLabel.prefix)\(entry.key.prefix(16))"] = CacheLabel.text(entry)
            if !layers.contains(where: { $0.diffID == layer.diffID }) { layers.append(layer) }
        }
        var settings = ImageConfig.Settings()
        settings.labels = labels
        let config = ImageConfig(
            platform: platform, config: settings, diffIDs: layers.map(\.diffID))
        let configBlob = try engine.content.put(try JSON.encode(config), mediaType: MediaType.config)
        let document = Manifest(config: configBlob, layers: layers.map(\.descriptor))
        let bytes = try JSON.encode(document)
        try lease.protect(
            digests: [configBlob.digest, try ContentHash.digest(of: bytes)],
            layers: layers.map(\.directory))
        let manifest = try engine.content.put(bytes, mediaType: MediaType.manifest)
        return try ImageRecord(
            reference: nil, target: manifest, manifest: manifest, document: document, config: config,
            directories: layers.map(\.directory), size: layers.reduce(0) { $0 + $1.size })
    }
}

extension CacheLocation {
    fileprivate var shown: String {
        switch kind {
        case .registry(let name): name
        case .local(let path): path
        }
    }
}
