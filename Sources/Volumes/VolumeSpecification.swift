package import Failure
import LinuxSystem

/// What a volume is to be made with.
package struct VolumeSpecification: Equatable, Sendable {
    package var name: String
    package var labels: [MountRequest.KeyAndValue]
    package var driverOptions: [MountRequest.KeyAndValue]
    package var owner: Volume.Owner?

    /// Throws `.invalidArgument` for a bad name and for options that the driver `local` does not have,
    /// `.unsupported` for another driver and for file systems that ctr does not mount.
    package init(
        name: String, driver: String = Volume.driver, labels: [MountRequest.KeyAndValue] = [],
        driverOptions: [MountRequest.KeyAndValue] = []
    ) throws(Failure) {
        try VolumeName.check(name)
        try VolumeSpecification.check(driver: driver)
        _ = try VolumeSpecification.backing(driverOptions)
        self.name = name
        self.labels = labels
        self.driverOptions = driverOptions
        owner = nil
    }

    /// A new anonymous volume: 64 random hex digits, and whose it is.
    package init(anonymousFor owner: Volume.Owner, labels: [MountRequest.KeyAndValue] = []) {
        name = randomHex(bytes: 32)
        self.labels = labels
        driverOptions = []
        self.owner = owner
    }

    static func check(driver: String) throws(Failure) {
        guard driver == Volume.driver else {
            throw Failure(
                .unsupported, "volume driver \"\(driver)\" is not supported",
                hint: "The only driver is local.")
        }
    }

    /// What the options of the driver `local` say about where the data is.
    static func backing(_ options: [MountRequest.KeyAndValue]) throws(Failure) -> Volume.Backing {
        var values: [String: String] = [:]
        for option in options {
            guard ["type", "device", "o"].contains(option.key) else {
                throw Failure(
                    .invalidArgument, "the volume driver local has no option \"\(option.key)\"",
                    hint: "Its options are type, device and o.")
            }
            values[option.key] = option.value
        }
        if values.isEmpty { return .directory }
        let mountOptions = (values["o"] ?? "").split(separator: ",").map(String.init)
        let type = values["type"] ?? ""
        if type == "tmpfs" {
            throw Failure(
                .unsupported,
                "a volume with type=tmpfs is not supported: it would be another one in each container",
                hint: "Use --tmpfs PATH or --mount type=tmpfs.")
        }
        guard ["", "none", "bind"].contains(type),
            mountOptions.contains("bind") || mountOptions.contains("rbind")
        else {
            throw Failure(
                .unsupported, "a volume of type \"\(type)\" is not supported",
                hint:
                    "Mount the file system on the host, and give its directory by type=none, o=bind, device=/path."
            )
        }
        if let unknown = mountOptions.first(where: { !["bind", "rbind", "ro", "rw"].contains($0) }) {
            throw Failure(.unsupported, "the mount option \"\(unknown)\" of a volume is not supported")
        }
        guard let device = values["device"], device.utf8.first == UInt8(ascii: "/") else {
            throw Failure(.invalidArgument, "a volume with o=bind needs device= with an absolute path")
        }
        return .bind(
            path: MountPath.cleaned(device),
            isReadOnly: mountOptions.last { $0 == "ro" || $0 == "rw" } == "ro")
    }
}

extension Volume {
    package var backing: Backing {
        get throws(Failure) { try VolumeSpecification.backing(driverOptions) }
    }
}
