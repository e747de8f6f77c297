package import Failure
internal import LinuxSystem

/// A build's mounts stand in a mount namespace of its own: they end with it, however it ends, and nobody else sees them.
package enum BuildNamespace {
    /// The calling thread, and all threads that begin after this, see mounts of their own from here on. Descriptors that
    /// were opened before stay in the other namespace, and no overlay can be made of both: call it first of all.
    package static func enter() throws(Failure) {
        // Without root's rights the engine refuses in better words.
        guard Process.isRoot else { return }
        try during("make a mount namespace for the build") { () throws(SystemError) in
            try MountNamespace.unshare()
        }
    }
}
