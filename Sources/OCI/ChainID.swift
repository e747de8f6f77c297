/// image-spec config.md, "Layer ChainID": the name of a layer applied on top of those below it.
package enum ChainID {
    /// The chain id of each layer with all below it: result[i] is that of layers 0...i.
    ///
    /// - Parameter sha256: the digest of a text's UTF-8 bytes; this room does no cryptography.
    package static func chain(
        _ diffIDs: [Digest], sha256: (String) -> Digest
    ) -> [Digest] {
        var result: [Digest] = []
        result.reserveCapacity(diffIDs.count)
        for diffID in diffIDs {
            result.append(result.last.map { sha256("\($0) \(diffID)") } ?? diffID)
        }
        return result
    }
}
