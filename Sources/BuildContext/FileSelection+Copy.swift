package import Failure
internal import LinuxSystem

extension FileSelection {
    /// Writes all of it below an open root, by COPY's rules.
    ///
    /// The root's links are followed inside it. Directories that are missing on the way are made for root with mode 0755,
    /// or for the options' owner with their octal mode; those that are there keep their attributes unless the source has
    /// the same directory below its top. A file that was changed since it was selected is an error. Nothing is synced; after
    /// a failure the root holds some of it.
    package func copy(
        into root: Int32, destination: String, workingDirectory: String = "/", _ options: CopyOptions
    ) throws(Failure) {
        var target = try CopyTarget(
            root: root, destination: destination, workingDirectory: workingDirectory, options)
        guard !needsDirectory || target.isSlashed || target.isDirectory else {
            throw Failure(
                .invalidArgument,
                "When using COPY with more than one source file, the destination must be a directory and end with a /",
                hint: "write \"\(destination)/\"")
        }
        let copier = ContentCopier()
        for part in parts {
            if part.isDirectory {
                let (directory, path) = try target.directory()
                try write(part, into: directory, path, copier, options, as: nil)
            } else if options.unpacksArchives, let archive = try archive(part) {
                let (directory, path) = try target.directory()
                do throws(Failure) {
                    try ArchiveUnpacking.unpack(
                        archive.raw, into: directory.raw, owner: (options.uid, options.gid))
                } catch {
                    throw error.within("unpack \"\(shown(0, of: part))\"\(tree.of) to \"\(path)\"")
                }
            } else {
                let (directory, name, path) = try target.file(part.name)
                try write(part, into: directory, path, copier, options, as: name)
                try target.refresh()
            }
        }
        try target.finish()
    }

    private func write(
        _ part: Part, into directory: SharedFileDescriptor, _ path: String, _ copier: ContentCopier,
        _ options: CopyOptions, as name: RawPath?
    ) throws(Failure) {
        for (place, file) in part.files.enumerated()
        where file.status.kind == .characterDevice && file.status.deviceMajor == 0
            && file.status.deviceMinor == 0
        {
            throw Failure(
                .invalidArgument,
                "\"\(shown(place, of: part))\"\(tree.of) is a character device 0:0, overlayfs' mark of a deleted file"
            )
        }
        let writer: PartWriter
        do throws(SystemError) {
            writer = try PartWriter(part, of: tree, into: directory, options, copier)
        } catch {
            throw failure(error, reading: part, 0)
        }
        do throws(SystemError) {
            if let name { try writer.writeFile(as: name) } else { try writer.writeContents() }
        } catch {
            let below = relative(writer.place, of: part, as: name)
            let goal = path == "/" ? "/\(below)" : "\(path)/\(below)"
            if error.isNotDirectory, error.call == "mkdir" {
                throw Failure(.invalidArgument, "cannot copy to non-directory: \(goal)")
            }
            if error.errno == Errno.isDirectory {
                throw Failure(.invalidArgument, "cannot replace to directory \(goal) with file")
            }
            if error.isChanged || error.isMissing || error.isLink || error.isNotDirectory {
                throw failure(error, reading: part, writer.place)
            }
            throw error.failure("copy \"\(shown(writer.place, of: part))\"\(tree.of) to \"\(goal)\"")
        }
    }

    private func relative(_ place: Int, of part: Part, as name: RawPath?) -> String {
        if let name { return name.shown }
        var components: [[UInt8]] = []
        var at = place
        while at > 0 {
            components.append(part.files[at].name.bytes)
            at = part.files[at].parent
        }
        return RawPath(Array(components.reversed().joined(separator: [UInt8(ascii: "/")]))).shown
    }

    /// The part's file, open at its beginning, if it is an archive.
    private func archive(_ part: Part) throws(Failure) -> SharedFileDescriptor? {
        guard let file = part.files.first, file.status.kind == .file, file.status.size > 0 else { return nil }
        do throws(SystemError) {
            let base = try RootedPath.open(part.base, below: tree.root, [.pathOnly, .directory])
            let opened = try FileDescriptor.open(
                file.name, in: base.raw, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal])
            guard DigestMemory.Key(try opened.status()) == DigestMemory.Key(file.status) else {
                throw SystemError.changed(file.name.shown)
            }
            let shared = SharedFileDescriptor(opened)
            return try ArchiveUnpacking.isArchive(shared) ? shared : nil
        } catch {
            throw failure(error, reading: part, 0)
        }
    }
}
