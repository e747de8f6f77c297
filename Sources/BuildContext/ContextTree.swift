package import Dockerfile
package import Failure
package import LinuxSystem

/// An open directory that files are copied from: a build's context, a stage's root, an image's root.
///
/// What is in it is an enemy's. Everything is reached from its descriptor, and a link in it leads nowhere but into it.
package final class ContextTree: Sendable {
    package enum Owners: Sendable {
        /// A directory of the user's: its files belong to root in the image, whoever has them here.
        case root
        /// A stage, an image, an unpacked tar.
        case own
    }

    /// What messages call it: nothing for the context, `stage "build"` for another.
    package let name: String?
    package let owners: Owners
    package let patterns: IgnorePatterns?
    let directory: SharedFileDescriptor

    /// `directory` is open for reading.
    package init(
        _ directory: SharedFileDescriptor, owners: Owners, ignoring patterns: IgnorePatterns? = nil,
        name: String? = nil
    ) {
        self.directory = directory
        self.owners = owners
        self.patterns = patterns
        self.name = name
    }

    package var root: Int32 { directory.raw }

    /// A trusted path, the one that the user gave.
    package static func opening(
        _ path: String, owners: Owners, ignoring patterns: IgnorePatterns? = nil
    ) throws(Failure) -> ContextTree {
        let opened = try during("open the context \(path)") { () throws(SystemError) in
            SharedFileDescriptor(try FileDescriptor.open(path, [.readOnly, .directory]))
        }
        return ContextTree(opened, owners: owners, ignoring: patterns)
    }

    /// A file of the context by its path, such as a Dockerfile; nil where there is none. Patterns do not hide it.
    package func read(_ path: String, limit: Int = 16 << 20) throws(Failure) -> [UInt8]? {
        try during("read \(path)") { () throws(SystemError) in
            let found = try RootedPath.resolve(RootedPath.clean(path.utf8), below: root)
            if found.missing > 0 { return nil }
            let file = try RootedPath.open(found.components, below: root, [.pathOnly])
            let kind = try file.status().kind
            guard kind == .file else {
                throw kind == .directory ? SystemError.isDirectory(path) : SystemError.notFile(path)
            }
            // The very file that was looked at: opening a FIFO would wait for somebody.
            return try FileDescriptor.open("/proc/self/fd/\(file.raw)", [.readOnly]).readAll(limit: limit)
        }
    }
}
