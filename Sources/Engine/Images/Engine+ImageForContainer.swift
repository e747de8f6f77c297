package import Failure
package import ImageStore
internal import LinuxSystem
internal import OCI

/// Brings an image that `run` and `create` lack: this room reads no registry and no archive.
package protocol ImageProvider: Sendable {
    /// Returns when the image is recorded and unpacked; tells of its progress by itself.
    func provide(_ need: ImageNeed, for engine: Engine) throws(Failure)
}

package struct ImageNeed: Sendable {
    package enum Kind: String, Sendable {
        /// It is not here.
        case missing
        /// It is to be pulled whether it is here or not.
        case always
        /// Its blobs are here, the directories of its layers are not.
        case unpack
    }

    package let kind: Kind
    package let name: String
    package let platform: String?
    package let quiet: Bool

    package init(_ kind: Kind, _ name: String, platform: String?, quiet: Bool) {
        self.kind = kind
        self.name = name
        self.platform = platform
        self.quiet = quiet
    }
}

extension Engine {
    /// The image that a container is to be made of, unpacked; pulled where the policy says so.
    ///
    /// - Throws: `notFound` where it is not here and may not be pulled; what the provider throws.
    package func imageForContainer(
        _ request: CreateRequest, _ images: any ImageProvider
    ) throws(Failure) -> ImageRecord {
        let name = request.image
        func provided(_ kind: ImageNeed.Kind) throws(Failure) -> ImageRecord {
            try images.provide(
                ImageNeed(kind, name, platform: request.platform, quiet: request.quiet), for: self)
            return try references.resolve(name)
        }
        let wanted = try request.platform.map { (text) throws(Failure) in try Platform(text) }
        if request.pull != .always, let found = try local(name) {
            if wanted.map({ $0.runs(found.platform) }) ?? true {
                return try isUnpacked(found) ? found : try provided(.unpack)
            }
            guard request.pull == .missing else {
                throw Failure(
                    .notFound,
                    "image \(name) was found, but its platform (\(found.platform)) does not match the wanted "
                        + "platform (\(wanted?.description ?? ""))",
                    hint: "pull it for that platform, or leave --pull never out")
            }
        }
        switch request.pull {
        case .never:
            throw Failure(.notFound, "no such image: \(name)", hint: "pull it, or leave --pull never out")
        case .missing: return try provided(.missing)
        case .always: return try provided(.always)
        }
    }

    private func local(_ name: String) throws(Failure) -> ImageRecord? {
        do throws(Failure) {
            return try references.resolve(name)
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
    }

    private func isUnpacked(_ record: ImageRecord) throws(Failure) -> Bool {
        guard let directories = record.layerDirectories else { return false }
        return try during("look for the layers of \(record.id.short)") { () throws(SystemError) in
            for name in directories
            where try !FileDescriptor.exists("layers/\(name)", in: root.descriptor.raw) {
                return false
            }
            return true
        }
    }
}
