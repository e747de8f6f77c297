internal import CLinux
internal import Glibc

/// A mount that is attached nowhere yet: it lives by its descriptor (fsmount(2), open_tree(2)).
package struct DetachedMount: ~Copyable {
    package let descriptor: FileDescriptor

    package init(descriptor: consuming FileDescriptor) { self.descriptor = descriptor }

    /// Mount attributes (mount_setattr(2)).
    package struct Attributes: OptionSet, Sendable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }
        /// As of `FileDescriptor.Resolve`.
        package init(arrayLiteral elements: Attributes...) {
            var value: UInt64 = 0
            for element in elements { value |= element.rawValue }
            rawValue = value
        }
        package static let readOnly = Attributes(rawValue: UInt64(CTR_MOUNT_ATTR_RDONLY))
        package static let noSetUID = Attributes(rawValue: UInt64(CTR_MOUNT_ATTR_NOSUID))
        package static let noDevices = Attributes(rawValue: UInt64(CTR_MOUNT_ATTR_NODEV))
        package static let noExecute = Attributes(rawValue: UInt64(CTR_MOUNT_ATTR_NOEXEC))
        package static let noAccessTime = Attributes(rawValue: UInt64(CTR_MOUNT_ATTR_NOATIME))
    }

    /// A parameter of fsconfig(2).
    package enum Option: Sendable, Equatable {
        case flag(String)
        case string(String, String)
        case descriptor(String, Int32)
    }

    /// fsopen, fsconfig, fsmount. An error says which parameter and what the kernel wrote to the context's log.
    package init(
        type: String, source: String? = nil, _ options: [Option] = [], attributes: Attributes = []
    ) throws(SystemError) {
        let context = FileDescriptor(owning: Int32(try call("fsopen", type) { ctr_fsopen(type, 0) }))
        let number = context.raw
        if let source {
            try call("fsconfig", "source") {
                ctr_fsconfig(number, UInt32(CTR_FSCONFIG_SET_STRING), "source", source, 0)
            }
        }
        for option in options {
            switch option {
            case .flag(let key):
                try call("fsconfig", key) { ctr_fsconfig(number, UInt32(CTR_FSCONFIG_SET_FLAG), key, nil, 0) }
            case .string(let key, let value):
                try call("fsconfig", "\(key)=\(value)") {
                    ctr_fsconfig(number, UInt32(CTR_FSCONFIG_SET_STRING), key, value, 0)
                }
            case .descriptor(let key, let value):
                try call("fsconfig", key) {
                    ctr_fsconfig(number, UInt32(CTR_FSCONFIG_SET_FD), key, nil, value)
                }
            }
        }
        try call("fsconfig", type) { ctr_fsconfig(number, UInt32(CTR_FSCONFIG_CMD_CREATE), nil, nil, 0) }
        descriptor = FileDescriptor(
            owning: Int32(try call("fsmount", type) { ctr_fsmount(number, 0, UInt32(attributes.rawValue)) }))
    }

    /// A bind mount of what the path names, with the mounts below it if `recursive` (open_tree(2) with
    /// OPEN_TREE_CLONE). An empty path with a directory's descriptor binds that.
    package init(
        bind path: some SystemPath, in directory: Int32 = currentDirectory, recursive: Bool
    ) throws(SystemError) {
        let flags =
            UInt32(CTR_OPEN_TREE_CLONE) | UInt32(CTR_AT_EMPTY_PATH)
            | (recursive ? UInt32(CTR_AT_RECURSIVE) : 0)
        descriptor = FileDescriptor(
            owning: Int32(
                try call("open_tree", path.shown) { path.withCPath { ctr_open_tree(directory, $0, flags) } }))
    }

    /// mount_setattr(2) on this mount, and on those below it if `recursive`.
    package borrowing func set(_ set: Attributes, clear: Attributes = [], recursive: Bool = false)
        throws(SystemError)
    {
        let number = descriptor.raw
        let flags = UInt32(CTR_AT_EMPTY_PATH) | (recursive ? UInt32(CTR_AT_RECURSIVE) : 0)
        try call("mount_setattr") {
            ctr_mount_setattr(number, "", flags, set.rawValue, clear.rawValue, 0, -1)
        }
    }

    /// Owners are seen through the user namespace's mapping (MOUNT_ATTR_IDMAP, kernel 5.12; not every file system).
    package borrowing func mapIDs(by namespace: Int32, recursive: Bool) throws(SystemError) {
        let number = descriptor.raw
        let flags = UInt32(CTR_AT_EMPTY_PATH) | (recursive ? UInt32(CTR_AT_RECURSIVE) : 0)
        try call("mount_setattr") { ctr_mount_setattr(number, "", flags, 0x10_0000, 0, 0, namespace) }
    }

    /// Propagation by its MS_ flag (MS_PRIVATE, MS_SLAVE, MS_SHARED).
    package borrowing func setPropagation(_ flag: UInt64, recursive: Bool = true) throws(SystemError) {
        let number = descriptor.raw
        let flags = UInt32(CTR_AT_EMPTY_PATH) | (recursive ? UInt32(CTR_AT_RECURSIVE) : 0)
        try call("mount_setattr") { ctr_mount_setattr(number, "", flags, 0, 0, flag, -1) }
    }

    /// Attaches it; the descriptor goes on naming the mount.
    package borrowing func attach(at path: some SystemPath, in directory: Int32 = currentDirectory)
        throws(SystemError)
    {
        let number = descriptor.raw
        try call("move_mount", path.shown) {
            path.withCPath {
                ctr_move_mount(
                    number, "", directory, $0,
                    UInt32(CTR_MOVE_MOUNT_F_EMPTY_PATH) | UInt32(CTR_MOVE_MOUNT_T_EMPTY_PATH))
            }
        }
    }
}

/// mount(2) and its kin where the file-descriptor calls do not reach.
package enum MountTable {
    package static func mount(
        source: String?, target: String, type: String?, flags: UInt, data: String? = nil
    ) throws(SystemError) {
        try call("mount", target) { ctr_mount(source, target, type, flags, data) }
    }

    package static func detach(_ target: String) throws(SystemError) {
        try call("umount", target) { ctr_umount2(target, 2) }
    }

    /// MS_REC | MS_SLAVE on `/`: what is mounted here later stays here.
    package static func makeSlave() throws(SystemError) {
        try call("mount", "/") { ctr_mount(nil, "/", nil, UInt(MS_REC) | UInt(MS_SLAVE), nil) }
    }
}
