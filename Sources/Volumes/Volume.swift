import Failure
package import LinuxSystem

/// A volume as its record tells: data that outlives containers.
package struct Volume: Equatable, Sendable {
    package let name: String
    package let created: Timestamp
    package let labels: [MountRequest.KeyAndValue]
    /// The options of the driver `local` that it was made with.
    package let driverOptions: [MountRequest.KeyAndValue]
    /// For an anonymous volume: whose it is.
    package let owner: Owner?

    package struct Owner: Equatable, Sendable {
        package let containerID: String
        /// Where the image or the command line wanted a volume, e.g. `/var/lib/redis`.
        package let path: String

        package init(containerID: String, path: String) {
            self.containerID = containerID
            self.path = path
        }
    }

    /// Where its data is.
    package enum Backing: Equatable, Sendable {
        /// In the store, below the volume's own directory.
        case directory
        /// A directory of the host, by `type=none,o=bind,device=/path`.
        case bind(path: String, isReadOnly: Bool)
    }

    /// The only driver there is.
    package static let driver = "local"

    package var isAnonymous: Bool { owner != nil }

    package func label(_ key: String) -> String? { labels.last { $0.key == key }?.value }
}

extension Volume {
    private static let kind = "ctr-volume 1"

    var record: FlatRecord {
        var record = FlatRecord(kind: Self.kind)
        record.add("name", name)
        record.add("created", String(created.nanosecondsSinceEpoch))
        record.add("label", all: labels.map { "\($0.key)=\($0.value)" })
        record.add("option", all: driverOptions.map { "\($0.key)=\($0.value)" })
        record.add("owner", ifPresent: owner?.containerID)
        record.add("owner-path", ifPresent: owner?.path)
        return record
    }

    init(name: String, parsing bytes: [UInt8]) throws(Failure) {
        let record = try FlatRecord(kind: Self.kind, parsing: bytes, name: "the record of volume \(name)")
        guard record.first("name") == name, let created = record.first("created").flatMap(Int64.init) else {
            throw Failure(.dataLoss, "the record of volume \(name) is damaged")
        }
        func pairs(_ key: String) -> [MountRequest.KeyAndValue] {
            record.all(key).map { line in
                let name = line.prefix { $0 != "=" }
                return .init(String(name), String(line.dropFirst(name.count + 1)))
            }
        }
        self.name = name
        self.created = Timestamp(nanosecondsSinceEpoch: created)
        labels = pairs("label")
        driverOptions = pairs("option")
        owner = record.first("owner").map { Owner(containerID: $0, path: record.first("owner-path") ?? "") }
    }
}
