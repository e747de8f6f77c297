package import Dockerfile
package import Failure
package import LinuxSystem

extension ContextTree {
    /// A context that comes as a tar, plain or compressed, from a file or a pipe; `directory` is empty and of the caller's.
    /// Owners are the tar's.
    package static func unpacking(tar: SharedFileDescriptor, into directory: SharedFileDescriptor)
        throws(Failure) -> ContextTree
    {
        do throws(Failure) {
            try ArchiveUnpacking.unpack(tar.raw, into: directory.raw)
        } catch {
            throw error.within("unpack the context")
        }
        return ContextTree(directory, owners: .own)
    }

    /// The same tree with its own .dockerignore, which can only be read once the tree is there.
    package func ignoring(_ patterns: IgnorePatterns?) -> ContextTree {
        ContextTree(directory, owners: owners, ignoring: patterns, name: name)
    }
}
