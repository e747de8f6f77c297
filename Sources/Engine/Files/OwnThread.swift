internal import Failure
internal import LinuxSystem

/// A thread for one call. Mount namespaces and the owner of new files belong to threads: what the body joins or becomes
/// ends with its own.
enum OwnThread {
    static func run<R: Sendable>(_ body: @escaping @Sendable () throws(Failure) -> R) throws(Failure) -> R {
        let outcome = Outcome<R>()
        try during("start a thread") { () throws(SystemError) in
            try Thread("ctr-files") {
                do throws(Failure) {
                    outcome.result = .success(try body())
                } catch {
                    outcome.result = .failure(error)
                }
            }.join()
        }
        guard let result = outcome.result else {
            throw Failure(.internal, "a thread ended without an answer")
        }
        return try result.get()
    }

    /// Written by the thread before it is joined, read afterwards.
    private final class Outcome<R: Sendable>: @unchecked Sendable {
        var result: Result<R, Failure>?
    }
}

extension UserMaps {
    /// What this thread makes from here on belongs to the container's root: another owner would not be there in the
    /// container's user namespace.
    func becomeRoot() throws(Failure) {
        let owner = try outside(uid: 0, gid: 0)
        try during("become the container's root") { () throws(SystemError) in
            try FileOwner.become(uid: owner.uid, gid: owner.gid)
        }
    }
}
