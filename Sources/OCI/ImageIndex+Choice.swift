package import Failure

extension ImageIndex {
    /// The entry to run on `platform`: the same system and architecture, and of the variants that such a machine
    /// runs the highest; of equals the first. Attestations and other entries for no machine are passed over.
    ///
    /// An entry that names no platform is taken where it is the only one there is: single-platform indexes are
    /// often written so, and the image config says whether it fits.
    ///
    /// - Throws: `notFound`, with the platforms there are.
    package func choose(for platform: Platform) throws(Failure) -> Descriptor {
        let images = manifests.filter(\.isImage)
        var best: (rank: Int, descriptor: Descriptor)?
        for descriptor in images {
            guard let offered = descriptor.platform, let rank = platform.rank(of: offered) else { continue }
            if best.map({ rank < $0.rank }) ?? true { best = (rank, descriptor) }
        }
        if let best { return best.descriptor }
        if images.count == 1, images[0].platform == nil { return images[0] }

        let wanted = platform.normalized
        let offered = platforms.map(\.description)
        guard !offered.isEmpty else {
            throw Failure(.notFound, "no image for \(wanted): the index names none for any platform")
        }
        let shown = offered.prefix(20).joined(separator: ", ") + (offered.count > 20 ? ", …" : "")
        throw Failure(
            .notFound, "no image for \(wanted); there is \(shown)",
            hint:
                "choose one with --platform; another architecture needs an emulator registered in binfmt_misc"
        )
    }

    /// What there are images for, in the index's order, each once.
    package var platforms: [Platform] {
        var seen: Set<Platform> = []
        return manifests.filter(\.isImage).compactMap(\.platform).map(\.normalized)
            .filter { seen.insert($0).inserted }
    }
}

extension Descriptor {
    /// Whether this entry of an index leads to an image, not to an attestation, signature or other artifact.
    package var isImage: Bool {
        guard MediaType.isManifest(mediaType) || MediaType.isIndex(mediaType) else { return false }
        guard annotations?[AnnotationKey.dockerReferenceType] == nil else { return false }
        guard let platform else { return artifactType.map(MediaType.isConfig) ?? true }
        return platform.os != "unknown" && platform.architecture != "unknown"
    }
}

extension Platform {
    /// Whether an image for `other` runs on this platform.
    package func runs(_ other: Platform) -> Bool { rank(of: other) != nil }

    /// How well an image for `other` fits here: 0 is exactly; nil is not at all.
    func rank(of other: Platform) -> Int? {
        let here = normalized
        let there = other.normalized
        guard here.os == there.os, here.architecture == there.architecture else { return nil }
        return here.runnableVariants.firstIndex(of: there.variant)
    }

    /// Of a normalised platform: the variants of its architecture that it runs, its own first.
    private var runnableVariants: [String?] {
        switch architecture {
        case "amd64":
            // x86-64-v4 runs everything below; v1 is nil.
            return Platform.descending(variant, from: 4, to: 2).map { $0 + [nil] } ?? [variant, nil]
        case "arm":
            return Platform.descending(variant, from: 8, to: 5) ?? [variant]
        case "arm64":
            return arm64Variants
        default:
            return variant == nil ? [nil] : [variant, nil]
        }
    }

    /// Arm's architecture releases: v9.n holds all of v8.(n+5), and each release those before it.
    private var arm64Variants: [String?] {
        guard let variant else { return [nil] }
        let parts = variant.dropFirst().split(separator: ".", omittingEmptySubsequences: false).map {
            Int($0)
        }
        guard variant.hasPrefix("v"), (1...2).contains(parts.count), let major = parts[0],
            major == 8 || major == 9, let minor = parts.count == 1 ? 0 : parts[1], (0...15).contains(minor)
        else { return [variant, nil] }
        var result: [String?] = []
        if major == 9 {
            result += (0...minor).reversed().map { $0 == 0 ? "v9" : "v9.\($0)" }
        }
        let top = major == 9 ? minor + 5 : minor
        result += (0...top).reversed().map { $0 == 0 ? nil : "v8.\($0)" }
        return result
    }

    /// `v3`, `v2` for v3; none for nil; nil where the variant is not of that form.
    private static func descending(
        _ variant: String?, from highest: Int, to lowest: Int
    ) -> [String?]? {
        guard let variant else { return [] }
        guard variant.hasPrefix("v"), let level = Int(variant.dropFirst()),
            (lowest...highest).contains(level)
        else { return nil }
        return (lowest...level).reversed().map { "v\($0)" }
    }
}
