package import LinuxSystem

/// One entry of a tar: what its headers say, unchecked but for their sizes. Names are bytes as they came.
package struct TarEntry: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        case file, directory, fifo, socket
        case symlink(target: RawPath)
        case hardLink(target: RawPath)
        case characterDevice(major: UInt32, minor: UInt32)
        case blockDevice(major: UInt32, minor: UInt32)
    }

    package struct Attribute: Sendable, Equatable {
        package var name: String
        package var value: [UInt8]

        package init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    package var path: RawPath
    package var kind: Kind
    /// Permission, set-id and sticky bits.
    package var mode: UInt32
    package var uid, gid: UInt32
    package var modified: Timestamp
    /// Of a file's data, holes included.
    package var size: UInt64
    package var attributes: [Attribute]

    package init(
        path: RawPath, kind: Kind, mode: UInt32 = 0o644, uid: UInt32 = 0, gid: UInt32 = 0,
        modified: Timestamp = Timestamp(seconds: 0), size: UInt64 = 0, attributes: [Attribute] = []
    ) {
        self.path = path
        self.kind = kind
        self.mode = mode
        self.uid = uid
        self.gid = gid
        self.modified = modified
        self.size = size
        self.attributes = attributes
    }
}
