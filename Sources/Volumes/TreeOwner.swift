package import Failure
internal import LinuxSystem

/// Gives a tree to somebody: `:U` of a volume. By descriptors, following no link; what belongs to them already is left
/// alone, so that a second time costs a look at each file.
package struct TreeOwner {
    private let root: Int32
    private let uid: UInt32
    private let gid: UInt32
    private var pending: [RawPath] = [RawPath(".")]

    /// - Parameter root: an open directory, or a file (O_PATH is enough).
    package static func change(_ root: Int32, uid: UInt32, gid: UInt32) throws(Failure) {
        var tree = TreeOwner(root: root, uid: uid, gid: gid)
        try tree.run()
    }

    private init(root: Int32, uid: UInt32, gid: UInt32) {
        self.root = root
        self.uid = uid
        self.gid = gid
    }

    private mutating func run() throws(Failure) {
        let status = try during("change the owner") { () throws(SystemError) in
            let status = try FileDescriptor.status("", in: root, emptyPath: true)
            if status.uid != uid || status.gid != gid {
                try FileDescriptor.withBorrowed(root) { (file) throws(SystemError) in
                    try file.changeOwner(uid: uid, gid: gid)
                }
            }
            return status
        }
        guard status.kind == .directory else { return }
        while let path = pending.popLast() {
            try during("change the owner of \(path.shown)") { () throws(SystemError) in try visit(path) }
        }
    }

    private mutating func visit(_ path: RawPath) throws(SystemError) {
        let directory: FileDescriptor
        do throws(SystemError) {
            directory = try FileDescriptor.open(
                path, in: root, [.readOnly, .directory, .noFollow], resolve: [.beneath, .noSymlinks])
        } catch {
            // Removed or replaced since the listing: by a container that has the volume as well.
            if error.isMissing { return }
            throw error
        }
        for entry in try Directory.entries(of: directory) {
            do throws(SystemError) {
                let status = try FileDescriptor.status(entry.name, in: directory.raw)
                if status.uid != uid || status.gid != gid {
                    try Directory.changeOwner(entry.name, in: directory.raw, uid: uid, gid: gid)
                }
                if status.kind == .directory {
                    pending.append(RawPath(path.bytes + [UInt8(ascii: "/")] + entry.name.bytes))
                }
            } catch {
                if !error.isMissing { throw error }
            }
        }
    }
}
