internal import CLinux

/// Network namespaces of the calling thread.
package enum NetworkNamespace {
    /// CLONE_NEWNET
    private static let kind: UInt64 = 0x4000_0000

    /// Runs the body in another network namespace and comes back, whatever happens. Sockets that it opens stay there.
    package static func inside<R: ~Copyable>(_ namespace: Int32, _ body: () throws(SystemError) -> R)
        throws(SystemError) -> R
    {
        if UserNamespace.isNested {
            return try apart { () throws(SystemError) in
                try Launching.join(namespace, flags: kind)
                return try body()
            }
        }
        let own = try FileDescriptor.open("/proc/thread-self/ns/net")
        try Launching.join(namespace, flags: kind)
        defer { try? Launching.join(own.raw, flags: kind) }
        return try body()
    }
}

extension NetworkNamespace {
    /// The loopback of the calling thread's namespace; one that is up stays so.
    package static func bringLoopbackUp() throws(SystemError) {
        try call("bring lo up") { ctr_loopback_up() }
    }

    /// A new one, with a loopback that is down; it ends with its last descriptor, socket and process.
    package static func make() throws(SystemError) -> FileDescriptor {
        if UserNamespace.isNested {
            return try apart { () throws(SystemError) in
                try call("unshare") { ctr_unshare(kind) }
                return try FileDescriptor.open("/proc/thread-self/ns/net")
            }
        }
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

extension NetworkNamespace {
    /// On a thread of its own, which ends there: out of a user namespace no way leads back to a network namespace that an
    /// outer one owns (setns(2)).
    private static func apart<R: ~Copyable>(_ body: () throws(SystemError) -> R) throws(SystemError) -> R {
        let answer = ThreadAnswer<R>()
        withoutActuallyEscaping({
            do throws(SystemError) { answer.value = try body() } catch { answer.failure = error }
        }) { run in
            let work = ThreadWork(run)
            do throws(SystemError) { try Thread("ctr-network") { work.run() }.join() } catch {
                answer.failure = error
            }
        }
        guard let value = answer.value.take() else {
            throw answer.failure ?? SystemError(call: "pthread_create", path: nil, errno: Errno.noProcess)
        }
        return value
    }
}

/// Written by one thread, read by another that has waited for its end.
private final class ThreadAnswer<R: ~Copyable>: @unchecked Sendable {
    var value: R?
    var failure: SystemError?
}

/// What another thread does while this one waits.
private final class ThreadWork: @unchecked Sendable {
    let run: () -> Void

    init(_ run: @escaping () -> Void) { self.run = run }
}
