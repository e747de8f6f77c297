internal import LinuxSystem

/// What a written file gets besides its contents.
struct FileAttributes {
    let uid, gid: UInt32
    /// Permission, set-id and sticky bits.
    let mode: UInt32
    let modified: Timestamp

    init(uid: UInt32, gid: UInt32, mode: UInt32, modified: Timestamp) {
        self.uid = uid
        self.gid = gid
        self.mode = mode
        self.modified = modified
    }

    init(_ status: FileStatus, owners: ContextTree.Owners, _ options: CopyOptions) {
        uid = options.uid ?? (owners == .root ? 0 : status.uid)
        gid = options.gid ?? (owners == .root ? 0 : status.gid)
        mode =
            options.mode?.applied(to: status.permissions, isDirectory: status.kind == .directory)
            ?? status.permissions
        modified = options.modified ?? status.modified
    }

    /// On what is open: the owner before the mode (a change of owner takes the set-id bits away), attributes after both
    /// (and capabilities), times last. What the file has already costs no call.
    func apply(_ attributes: [CopiedAttributes.Attribute], to file: borrowing FileDescriptor)
        throws(SystemError)
    {
        let made = try file.status()
        if made.uid != uid || made.gid != gid {
            try file.changeOwner(uid: uid, gid: gid)
            if mode != made.permissions || mode & 0o6000 != 0 { try file.changeMode(mode) }
        } else if mode != made.permissions {
            try file.changeMode(mode)
        }
        try CopiedAttributes.write(attributes, on: file)
        try file.changeTimes(accessed: modified, modified: modified)
    }

    /// On what must not be opened: links, devices, FIFOs.
    func apply(_ attributes: [CopiedAttributes.Attribute], to name: RawPath, in directory: Int32)
        throws(SystemError)
    {
        let made = try FileDescriptor.status(name, in: directory)
        if made.uid != uid || made.gid != gid {
            try Directory.changeOwner(name, in: directory, uid: uid, gid: gid)
        }
        if made.kind != .symlink { try Directory.changeModeNoFollow(name, in: directory, mode) }
        try CopiedAttributes.write(attributes, on: name, in: directory)
        try Directory.changeTimes(name, in: directory, accessed: modified, modified: modified)
    }
}
