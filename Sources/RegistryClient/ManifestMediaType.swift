internal import Failure

/// What kind of manifest some bytes are.
enum ManifestMediaType {
    static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    static let ociIndex = "application/vnd.oci.image.index.v1+json"
    static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"

    static let known: Set<String> = [ociManifest, ociIndex, dockerManifest, dockerList]

    /// What a request says it takes. One header: some registries read only the first.
    static let accept = [ociIndex, dockerList, ociManifest, dockerManifest].joined(separator: ", ")

    /// The media type that both the header and the document stand for.
    ///
    /// A document that could be read as a manifest and as an index at once is refused, and so is one that says another
    /// type than its header: two readers of one digest must not see two images (CVE-2021-41190).
    static func of(_ bytes: [UInt8], contentType: String?) throws(Failure) -> String {
        let json: JSON
        do {
            json = try JSON(parsing: bytes)
        } catch {
            throw Failure(.dataLoss, "registry answered something that is no manifest: \(error.message)")
        }
        guard json.members != nil else {
            throw Failure(.dataLoss, "registry answered something that is no manifest")
        }
        let looksLikeIndex = json["manifests"] != nil
        let looksLikeManifest = json["layers"] != nil || json["config"] != nil
        guard !(looksLikeIndex && looksLikeManifest) else {
            throw Failure(.dataLoss, "the manifest is ambiguous: it is an image and an index at once")
        }
        let header = contentType.map { type in
            String(type.prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }).lowercased()
        }
        if json["schemaVersion"]?.integer == 1 || header?.contains("docker.distribution.manifest.v1") == true
        {
            throw Failure(
                .unsupported, "the image has only a manifest of docker's schema 1, which is obsolete",
                hint: "push it again with a current tool")
        }
        let own = json["mediaType"]?.text
        if let header, known.contains(header) {
            if let own, own != header {
                throw Failure(
                    .dataLoss,
                    "registry calls the manifest \(header), the manifest itself \(RegistryAnswer.sanitized(own))"
                )
            }
            guard header == ociIndex || header == dockerList ? looksLikeIndex : looksLikeManifest else {
                throw Failure(.dataLoss, "registry calls the manifest \(header), which it is not")
            }
            return header
        }
        // Plain `application/json` and worse is found in the field.
        if let own {
            guard known.contains(own) else {
                throw Failure(
                    .unsupported, "the manifest's type is not known: \(RegistryAnswer.sanitized(own))")
            }
            return own
        }
        guard looksLikeIndex || looksLikeManifest else {
            throw Failure(.dataLoss, "registry answered something that is no manifest")
        }
        return looksLikeIndex ? ociIndex : ociManifest
    }
}
