package import Failure

/// An image layout's `oci-layout` file (image-spec image-layout.md). Its `index.json` is an `ImageIndex`.
package struct ImageLayout: Hashable, Sendable, Codable {
    package static let markerFile = "oci-layout"
    package static let indexFile = "index.json"
    package static let blobsDirectory = "blobs"

    package var imageLayoutVersion: String

    package init() {
        imageLayoutVersion = "1.0.0"
    }

    /// - Throws: `invalidArgument`; `unsupported` for a version other than 1.x.
    package init(bytes: [UInt8]) throws(Failure) {
        self = try JSON.decode(ImageLayout.self, from: bytes, as: ImageLayout.markerFile, limit: 4096)
        guard imageLayoutVersion.hasPrefix("1.") else {
            throw Failure(
                .unsupported,
                "\(ImageLayout.markerFile): imageLayoutVersion \(imageLayoutVersion.quotedForMessage) is not supported, only 1.x is"
            )
        }
    }

    /// Where a blob lies, relative to the layout: `blobs/sha256/…`.
    package static func blobPath(_ digest: Digest) -> String {
        "\(blobsDirectory)/\(digest.algorithm.rawValue)/\(digest.hex)"
    }
}
