/// Annotations that ctr reads or writes (image-spec annotations.md; docker's and containerd's own).
package enum AnnotationKey {
    /// On an entry of a layout's index: the tag, or the whole name.
    package static let refName = "org.opencontainers.image.ref.name"
    package static let created = "org.opencontainers.image.created"
    package static let version = "org.opencontainers.image.version"
    package static let revision = "org.opencontainers.image.revision"
    package static let source = "org.opencontainers.image.source"
    package static let title = "org.opencontainers.image.title"
    package static let baseName = "org.opencontainers.image.base.name"
    package static let baseDigest = "org.opencontainers.image.base.digest"
    /// The whole name, beside `refName`'s tag, in what docker and containerd save.
    package static let containerdImageName = "io.containerd.image.name"
    /// `attestation-manifest` on buildkit's attestations.
    package static let dockerReferenceType = "vnd.docker.reference.type"
    /// The manifest that an attestation is about.
    package static let dockerReferenceDigest = "vnd.docker.reference.digest"
}
