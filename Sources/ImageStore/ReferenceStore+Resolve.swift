package import Failure
internal import OCI

extension ReferenceStore {
    /// The image that a person means: a name (`redis`, `redis:7`, `host:5000/a/b`), a name with a digest, an image
    /// ID in full or its unique beginning, with or without `sha256:`. As in docker a name that is there wins over
    /// the beginning of an ID.
    ///
    /// - Throws: `notFound`; `conflict` where several images' IDs begin so; `invalidArgument` where the text is
    ///   neither a name nor an ID.
    package func resolve(_ text: String) throws(Failure) -> ImageRecord {
        let identifier = ReferenceStore.identifier(text)
        do throws(Failure) {
            if let record = try named(try Reference.parse(text)) { return record }
        } catch {
            // 64 hex digits and `sha256:…` are no names, but may be an ID; a damaged record is not to be hidden.
            guard identifier != nil, error.code == .invalidArgument else { throw error }
        }
        if let identifier, let record = try identified(identifier, text) { return record }
        throw Failure(.notFound, "no such image: \(text)", hint: "\"ctr images\" lists what there is")
    }

    /// By name; with a digest, any record of the repository that has it as repo digest or manifest.
    private func named(_ reference: Reference) throws(Failure) -> ImageRecord? {
        if let record = try record(of: reference) { return record }
        guard let digest = reference.digest else { return nil }
        let repoDigest = "\(reference.name)@\(digest)"
        return try list().images.first {
            $0.repoDigests.contains(repoDigest)
                || $0.reference?.name == reference.name
                    && ($0.target.digest == digest || $0.manifest.digest == digest)
        }
    }

    /// By the beginning of an image ID, or else of a manifest's digest.
    private func identified(_ prefix: String, _ text: String) throws(Failure) -> ImageRecord? {
        let images = try list().images
        let kinds: [(ImageRecord) -> Digest] = [{ $0.id }, { $0.manifest.digest }, { $0.target.digest }]
        for kind in kinds {
            let found = images.filter { kind($0).algorithm == .sha256 && kind($0).hex.hasPrefix(prefix) }
            guard let first = found.first else { continue }
            guard Set(found.map(\.id)).count == 1 else {
                throw Failure(
                    .conflict, "\(text) is the beginning of \(Set(found.map(\.id)).count) image IDs",
                    hint: "give more digits: \(Set(found.map(\.id.short)).sorted().joined(separator: ", "))")
            }
            return first
        }
        return nil
    }

    /// The hex digits of what can be an ID or its beginning; nil for anything else.
    static func identifier(_ text: String) -> String? {
        let hex = text.hasPrefix("sha256:") ? text.dropFirst("sha256:".count) : text[...]
        guard (1...64).contains(hex.utf8.count),
            hex.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
        else { return nil }
        return String(hex)
    }
}
