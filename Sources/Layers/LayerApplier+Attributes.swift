internal import Archive
internal import LinuxSystem
internal import OverlayFS

extension LayerApplier {
    /// Owner, mode, attributes and time of what `make` has just made, or of a directory that was there.
    func setAttributes(
        _ entry: TarEntry, of name: RawPath, in directory: Int32, at place: LayerPath, isNew: Bool
    ) throws {
        try Directory.changeOwner(name, in: directory, uid: entry.uid, gid: entry.gid)
        if case .symlink = entry.kind {
        } else {
            if entry.kind == .directory, entry.mode & 0o300 != 0o300 {
                try Directory.changeMode(name, in: directory, mode: entry.mode | 0o700)
                directoryModes.append((place, entry.mode))
            } else {
                try Directory.changeMode(name, in: directory, mode: entry.mode)
            }
        }
        if !isNew {
            let wanted = Set(entry.attributes.map(\.name))
            let opened = try FileDescriptor.open(name, in: directory, [.readOnly, .directory, .noFollow])
            for old in try ExtendedAttributes.names(of: opened)
            where !isOfTheHost(old) && !wanted.contains(old) {
                try tolerating(old) { () throws(SystemError) in
                    try ExtendedAttributes.remove(old, from: opened)
                }
            }
        }
        for attribute in entry.attributes where !isOfTheHost(attribute.name) {
            try tolerating(attribute.name) { () throws(SystemError) in
                try ExtendedAttributes.set(attribute.name, attribute.value, on: name, in: directory)
            }
        }
        if entry.kind == .directory {
            directoryTimes.append((place, entry.modified))
        } else {
            try Directory.changeTimes(
                name, in: directory, accessed: entry.modified, modified: entry.modified)
        }
    }

    /// Attributes that the file system has no room for are left out, as docker does; but a program without its
    /// capabilities would be a different program.
    func tolerating(_ name: String, _ body: () throws(SystemError) -> Void) throws {
        do throws(SystemError) {
            try body()
        } catch {
            guard name != "security.capability", error.isUnsupported || error.isNotPermitted else {
                throw error
            }
        }
    }
}
