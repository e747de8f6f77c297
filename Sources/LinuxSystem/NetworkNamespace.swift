internal import CLinux

/// Network namespaces of the calling thread.
package enum NetworkNamespace {
    /// CLONE_NEWNET
    private static let kind: UInt64 = 0x4000_0000

    /// Runs the body in another network namespace and comes back, whatever happens. Sockets that it opens stay there.
    package static func inside<R: ~Copyable>(_ namespace: Int32, _ body: () throws(SystemError) -> R)
        throws(SystemError) -> R
    {
        let own = try FileDescriptor.open("/proc/thread-self/ns/net")
        try Launching.join(namespace, flags: kind)
        defer { try? Launching.join(own.raw, flags: kind) }
        return try body()
    }
}

extension NetworkNamespace {
    /// A new one, with a loopback that is down; it ends with its last descriptor, socket and process.
    package static func make() throws(SystemError) -> FileDescriptor {
        let own = try FileDescriptor.open("/proc/thread-self/ns/net")
        try call("unshare") { ctr_unshare(kind) }
        defer { try? Launching.join(own.raw, flags: kind) }
        return try FileDescriptor.open("/proc/thread-self/ns/net")
    }
}

extension NetlinkSocket {
    /// A socket in another network namespace; this thread is there for a moment.
    package static func inside(_ namespace: borrowing FileDescriptor) throws(SystemError) -> NetlinkSocket {
        try NetworkNamespace.inside(namespace.raw) { () throws(SystemError) in try NetlinkSocket() }
    }
}
