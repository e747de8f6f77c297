internal import Layers
internal import Engine
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS
internal import RegistryClient

extension ImagePull {
    /// What a transfer brought, and the claims that are to last until that has its names.
    struct Brought {
        var names: Set<String> = []
        var claims: [LayerClaim] = []
    }

    private struct Fetched: Sendable {
        let part: Part
        var ingest: Ingest?
        var layer: FreshLayer?
    }

    /// Fetches and unpacks what is missing. Layers that another process is at are left until the end.
    func transfer(
        _ parts: [Part], into assembly: inout LayerAssembly, _ staged: inout [Ingest]
    ) async throws(Failure) -> Brought {
        var brought = Brought()
        var remaining = try missing(parts, assembly)
        while !remaining.isEmpty {
            var mine: [Part] = []
            var theirs: [Part] = []
            for part in remaining {
                if let claim = try LayerClaim.attempt(part.diffID, layers, root: engine.root.descriptor) {
                    brought.claims.append(claim)
                    mine.append(part)
                } else {
                    progress.report(part.name, .waiting)
                    theirs.append(part)
                }
            }
            // Whoever had a claim before may have brought its layer.
            let work = try missing(mine, assembly)
            brought.names.formUnion(work.map(\.name))
            try await fetch(work, into: &assembly, &staged)
            if theirs.isEmpty { return brought }
            if !mine.isEmpty {
                try assembly.storeEarly(publishing: staged)
                staged = []
                brought.claims = []
            }
            try await pause()
            remaining = try missing(theirs, assembly)
        }
        return brought
    }

    /// Each blob once.
    private func missing(_ parts: [Part], _ assembly: LayerAssembly) throws(Failure) -> [Part] {
        var seen: Set<Digest> = []
        var missing: [Part] = []
        for part in parts where seen.insert(part.descriptor.digest).inserted {
            if try assembly.unpacked(part.place) != nil, try content.has(part.descriptor) {
                progress.report(part.name, .exists)
            } else {
                missing.append(part)
            }
        }
        return missing
    }

    private func pause() async throws(Failure) {
        do {
            try await Task.sleep(for: .milliseconds(50))
        } catch {
            throw Failure(.interrupted, "the pull was stopped")
        }
    }

    /// Layers side by side. The first failure stops the others.
    private func fetch(
        _ parts: [Part], into assembly: inout LayerAssembly, _ staged: inout [Ingest]
    ) async throws(Failure) {
        let current = assembly
        let (fetched, failure) = await withTaskGroup(of: Result<Fetched, Failure>.self) { group in
            var fetched: [Fetched] = []
            var failure: Failure?
            var waiting = parts[...]
            for part in parts.prefix(ImagePull.width) {
                waiting.removeFirst()
                group.addTask { await outcome(of: part, current) }
            }
            while let result = await group.next() {
                switch result {
                case .success(let one): fetched.append(one)
                case .failure(let error):
                    // Those that are stopped because of the first tell nothing new.
                    failure = failure ?? error
                    group.cancelAll()
                }
                if failure == nil, let part = waiting.popFirst() {
                    group.addTask { await outcome(of: part, current) }
                }
            }
            return (fetched, failure)
        }
        for one in fetched {
            if let ingest = one.ingest { staged.append(ingest) }
            if let layer = one.layer { assembly.add(layer, diffID: one.part.diffID) }
        }
        if let failure { throw failure }
    }

    /// How many layers at once: 3 as docker does, or CTR_MAX_DOWNLOADS.
    static let width = max(1, Process.environmentValue("CTR_MAX_DOWNLOADS").flatMap { Int($0) } ?? 3)

    private func outcome(of part: Part, _ assembly: LayerAssembly) async -> Result<Fetched, Failure> {
        do throws(Failure) {
            return .success(try await fetch(part, assembly))
        } catch {
            return .failure(error)
        }
    }

    private func fetch(_ part: Part, _ assembly: LayerAssembly) async throws(Failure) -> Fetched {
        let isUnpacked = try assembly.unpacked(part.place) != nil
        if try content.has(part.descriptor) {
            guard !isUnpacked else { return Fetched(part: part) }
            progress.report(part.name, .extracting)
            return Fetched(part: part, layer: try assembly.unpack(part.place))
        }
        let ingest = try content.ingest(part.descriptor)
        do throws(Failure) {
            let unpacking =
                isUnpacked
                ? nil : try LayerUnpacking(in: layers, diffID: part.diffID, name: "layer \(part.name)")
            return Fetched(
                part: part, ingest: ingest, layer: try await receive(part, into: ingest, unpacking))
        } catch {
            if error.isFullDisk { ingest.discard() }
            throw error
        }
    }

    /// How much of a blob that cannot be unpacked is read on, to tell wrong bytes from a bad layer.
    private static let readOn: UInt64 = 64 << 20

    private func receive(
        _ part: Part, into ingest: Ingest, _ unpacking: LayerUnpacking?
    ) async throws(Failure) -> FreshLayer? {
        let descriptor = part.descriptor
        var trouble: Failure?
        try ingest.replay { (bytes) throws(Failure) in
            guard trouble == nil else { return }
            do throws(Failure) { try unpacking?.feed(bytes) } catch { trouble = error }
        }
        var offset = ingest.offset
        progress.report(part.name, .downloading(Int64(offset), of: descriptor.size))
        let stream = try await source.openBlob(descriptor, from: offset)
        guard stream.offset <= offset else {
            throw Failure(
                .internal, "layer \(part.name) is given from byte \(stream.offset), wanted from \(offset)")
        }
        // A registry without ranges gives what is here already once more.
        var known = Int(offset - stream.offset)
        while let chunk = try await stream.next() {
            let bytes = known == 0 ? chunk : Array(chunk.dropFirst(known))
            known -= chunk.count - bytes.count
            if bytes.isEmpty { continue }
            try ingest.append(bytes)
            offset += UInt64(bytes.count)
            if trouble == nil {
                do throws(Failure) { try unpacking?.feed(bytes) } catch { trouble = error }
            }
            if let trouble, trouble.isFullDisk || UInt64(descriptor.size) - offset > ImagePull.readOn {
                try ingest.restart()
                throw trouble
            }
            progress.report(part.name, .downloading(Int64(offset), of: descriptor.size))
        }
        progress.report(part.name, .verifying)
        try ingest.commit(.deferred)
        do throws(Failure) {
            if let trouble { throw trouble }
            progress.report(part.name, .extracting)
            return try unpacking?.finish().layer
        } catch {
            // The bytes are those of the digest, and of no use.
            ingest.discard()
            throw error
        }
    }
}

extension Failure {
    /// The store's file system is full, not a limit of ours or of a registry.
    var isFullDisk: Bool { code == .resourceExhausted && cause is SystemError }
}
