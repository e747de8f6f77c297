package import Failure

/// A document of the Container Device Interface, version 0.3.0 and later: devices of one kind and what a container needs to
/// use them.
package struct CDISpec: Sendable, Equatable {
    package struct Device: Sendable, Equatable {
        package var name: String
        package var edits: Edits
    }

    /// What is changed in a runtime spec.
    package struct Edits: Sendable, Equatable {
        /// NAME=VALUE
        package var environment: [String] = []
        package var deviceNodes: [DeviceNode] = []
        package var mounts: [Mount] = []
        package var hooks: [Hook] = []
        package var additionalGIDs: [UInt32] = []
        package var intelRdt: RuntimeSpec.IntelRdt?
        package var netDevices: [NetDevice] = []

        package init() {}
    }

    /// What is nil is the host's node's.
    package struct DeviceNode: Sendable, Equatable {
        package var path: String
        package var hostPath: String?
        package var type: RuntimeSpec.Device.Kind?
        package var major: Int64?
        package var minor: Int64?
        package var fileMode: UInt32?
        /// Of `r`, `w` and `m`; empty: none.
        package var permissions: String
        package var uid: UInt32?
        package var gid: UInt32?
    }

    /// A node with what the host knows of it.
    package struct HostNode: Sendable, Equatable {
        package var device: RuntimeSpec.Device
        package var permissions: String
        /// false: a mount brings it.
        package var isMade = true

        package init(device: RuntimeSpec.Device, permissions: String) {
            self.device = device
            self.permissions = permissions
        }
    }

    package struct Mount: Sendable, Equatable {
        package var hostPath: String
        package var containerPath: String
        package var type: String?
        package var options: [String]

        package init(hostPath: String, containerPath: String, type: String?, options: [String]) {
            self.hostPath = hostPath
            self.containerPath = containerPath
            self.type = type
            self.options = options
        }
    }

    package struct Hook: Sendable, Equatable {
        package enum Name: String, Sendable {
            case prestart, createRuntime, createContainer, startContainer, poststart, poststop
        }

        package var name: Name
        package var hook: RuntimeSpec.Hook

        package init(name: Name, hook: RuntimeSpec.Hook) {
            self.name = name
            self.hook = hook
        }
    }

    package struct NetDevice: Sendable, Equatable {
        package var hostName: String
        package var name: String

        package init(hostName: String, name: String) {
            self.hostName = hostName
            self.name = name
        }
    }

    /// `vendor.com/class`
    package var kind: String
    package var devices: [Device]
    /// For whichever of the devices.
    package var edits: Edits

    /// The keys whose values are no texts, for who turns YAML into JSON.
    package static let plainKeys: Set<String> = [
        "major", "minor", "fileMode", "uid", "gid", "timeout", "additionalGids", "additionalGIDs",
        "enableMonitoring",
        "enableCMT", "enableMBM",
    ]

    /// Reads and checks a document as the specification has it: what is unknown is refused, and so is what its version does
    /// not have yet.
    /// - Parameter what: names it in failures.
    package init(bytes: [UInt8], as what: String) throws(Failure) {
        let fields = try JSONFields(bytes, as: what)
        let version = try CDIVersion(fields, as: what)
        try fields.refuseOthers(than: ["cdiVersion", "kind", "annotations", "devices", "containerEdits"])
        try version.check(fields, has: "annotations", since: 6)
        kind = try fields.needed("kind", fields.text)
        if kind.drop(while: { $0 != "/" }).contains(".") {
            try version.needs(6, "a dot in the class of kind")
        }
        edits =
            try fields.object("containerEdits") { (fields) throws(Failure) in try Edits(fields, version) }
            ?? Edits()
        devices =
            try fields.list("devices") { (fields) throws(Failure) in
                try fields.refuseOthers(than: ["name", "annotations", "containerEdits"])
                try version.check(fields, has: "annotations", since: 6)
                let name = try fields.needed("name", fields.text)
                if name.utf8.first.map({ (0x30...0x39).contains($0) }) == true {
                    try version.needs(5, "a device's name that begins with a digit")
                }
                return Device(
                    name: name,
                    edits: try fields.object("containerEdits") { (fields) throws(Failure) in
                        try Edits(fields, version)
                    } ?? Edits())
            } ?? []
        guard !devices.isEmpty else { throw Failure(.invalidArgument, "\(what): devices: missing or empty") }
    }
}
