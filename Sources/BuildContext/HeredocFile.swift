package import Failure
internal import LinuxSystem

/// `COPY <<NAME destination`: a file from the Dockerfile itself.
package enum HeredocFile {
    /// As COPY of a file with mode 0644 of root's; a destination that is a directory gets it as `name`.
    package static func write(
        named name: String, content: [UInt8], into root: Int32, destination: String,
        workingDirectory: String = "/", _ options: CopyOptions
    ) throws(Failure) {
        // A name is one component: the word after << may hold slashes.
        let last = RootedPath.clean(name.utf8).last ?? Array("EOF".utf8)
        var target = try CopyTarget(
            root: root, destination: destination, workingDirectory: workingDirectory, options)
        let (directory, place, path) = try target.file(RawPath(last))
        let attributes = FileAttributes(
            uid: options.uid ?? 0, gid: options.gid ?? 0,
            mode: options.mode?.applied(to: 0o644, isDirectory: false) ?? 0o644,
            modified: options.modified ?? Timestamp.now())
        do throws(SystemError) {
            let file = try PartWriter.create(place, in: directory.raw, mode: attributes.mode & 0o777)
            try file.write(content)
            try attributes.apply([], to: file)
            try file.close()
        } catch {
            let goal = path == "/" ? "/\(place.shown)" : "\(path)/\(place.shown)"
            if error.errno == Errno.isDirectory {
                throw Failure(.invalidArgument, "cannot replace to directory \(goal) with file")
            }
            throw error.failure("write \"\(goal)\"")
        }
        try target.finish()
    }
}
