package import Failure
internal import LinuxSystem

/// A container as it was created; what it does now is `RunState`, how it ended `ExitRecord`.
package struct ContainerRecord: Sendable, Equatable {
    package let id: String
    package var name = ""
    /// Nanoseconds since 1970.
    package var created: Int64
    /// The image as the user named it.
    package var image: String
    /// The image's id (config digest) and manifest digest: the tag may move on, the container stays.
    package var imageID: String
    package var manifestDigest: String
    /// The image's layers, lowest first, as directories of `layers/`.
    package var layers: [String]
    package var platform: String
    package var settings: ContainerSettings
    /// Volumes made for this container (image VOLUME, `-v /path`): go with `rm -v` and `--rm`.
    package var anonymousVolumes: [String]

    package init(
        id: String, created: Int64, image: String, imageID: String, manifestDigest: String, layers: [String],
        platform: String, settings: ContainerSettings
    ) {
        self.id = id
        self.created = created
        self.image = image
        self.imageID = imageID
        self.manifestDigest = manifestDigest
        self.layers = layers
        self.platform = platform
        self.settings = settings
        anonymousVolumes = []
    }

    package var shortID: String { String(id.prefix(12)) }
}

extension ContainerRecord {
    private static let kind = "ctr-container 1"

    package var bytes: [UInt8] {
        var record = FlatRecord(kind: ContainerRecord.kind)
        record.add("name", name)
        record.add("created", String(created))
        record.add("image", image)
        record.add("image-id", imageID)
        record.add("manifest", manifestDigest)
        record.add("platform", platform)
        record.add("layer", all: layers)
        record.add("anonymous-volume", all: anonymousVolumes)
        settings.write(to: &record)
        return record.bytes
    }

    package init(parsing bytes: [UInt8], id: String) throws(Failure) {
        let record = try FlatRecord(
            kind: ContainerRecord.kind, parsing: bytes, name: "container \(id.prefix(12))'s record")
        self.init(
            id: id, created: 0, image: "", imageID: "", manifestDigest: "", layers: [], platform: "",
            settings: ContainerSettings())
        for entry in record.entries {
            switch entry.key {
            case "name": name = entry.value
            case "created": created = Int64(entry.value) ?? 0
            case "image": image = entry.value
            case "image-id": imageID = entry.value
            case "manifest": manifestDigest = entry.value
            case "platform": platform = entry.value
            case "layer": layers.append(entry.value)
            case "anonymous-volume": anonymousVolumes.append(entry.value)
            default: settings.read(entry.key, entry.value)
            }
        }
        // A directory that is a root has no image.
        let isImageless = !settings.life.rootDirectory.isEmpty
        for (key, value) in [
            ("name", name), ("image", image), ("image-id", imageID), ("manifest", manifestDigest),
        ]
        where value.isEmpty && !(isImageless && key != "name") {
            throw Failure(.dataLoss, "container \(id.prefix(12))'s record has no \(key)")
        }
    }
}
