internal import CLinux

/// Mount namespaces of one thread. What these calls do ends with the thread: call them on a `Thread` of their own.
package enum MountNamespace {
    /// The calling thread sees mounts of its own from here on; what it mounts reaches nobody else (unshare(2)).
    package static func unshare() throws(SystemError) {
        try call("unshare") { ctr_unshare(0x20000) }
        try MountTable.makeSlave()
    }

    /// The root directory of a process's mount namespace, without the mounts below it, as a mount that is attached
    /// nowhere. The thread joins the namespace by the process's pidfd, so that no other process can be meant.
    package static func cloneRoot(of pidfd: Int32) throws(SystemError) -> DetachedMount {
        // setns(2) wants a thread whose working directory is nobody else's (CLONE_FS).
        try call("unshare") { ctr_unshare(0x200) }
        try Launching.join(pidfd, flags: 0x20000)
        return try DetachedMount(bind: "/", recursive: false)
    }
}
