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
        for field in ContainerSettings.texts where !settings[keyPath: field.path].isEmpty {
            record.add(field.key, settings[keyPath: field.path])
        }
        for field in ContainerSettings.lists { record.add(field.key, all: settings[keyPath: field.path]) }
        for field in ContainerSettings.numbers {
            record.add(field.key, ifPresent: settings[keyPath: field.path].map(String.init))
        }
        for field in ContainerSettings.switches where settings[keyPath: field.path] {
            record.add(field.key, "1")
        }
        return record.bytes
    }

    package init(parsing bytes: [UInt8], id: String) throws(Failure) {
        let record = try FlatRecord(
            kind: ContainerRecord.kind, parsing: bytes, name: "container \(id.prefix(12))'s record")
        var values: [String: [String]] = [:]
        for entry in record.entries { values[entry.key, default: []].append(entry.value) }
        func one(_ key: String) throws(Failure) -> String {
            guard let value = values[key]?.first else {
                throw Failure(.dataLoss, "container \(id.prefix(12))'s record has no \(key)")
            }
            return value
        }
        var settings = ContainerSettings()
        for field in ContainerSettings.texts {
            if let value = values[field.key]?.first { settings[keyPath: field.path] = value }
        }
        for field in ContainerSettings.lists { settings[keyPath: field.path] = values[field.key] ?? [] }
        for field in ContainerSettings.numbers {
            settings[keyPath: field.path] = values[field.key]?.first.flatMap { Int64($0) }
        }
        for field in ContainerSettings.switches { settings[keyPath: field.path] = values[field.key] != nil }
        self.init(
            id: id, created: Int64(try one("created")) ?? 0, image: try one("image"),
            imageID: try one("image-id"), manifestDigest: try one("manifest"), layers: values["layer"] ?? [],
            platform: values["platform"]?.first ?? "", settings: settings)
        name = try one("name")
        anonymousVolumes = values["anonymous-volume"] ?? []
    }
}
