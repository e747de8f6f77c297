internal import CLinux
package import Failure
internal import Glibc

/// A system call's failure: which call, on what, and the errno. No bare errno crosses a room's wall:
/// rooms turn this into a `Failure` with what they were doing.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    package let call: String
    package let path: String?
    package let errno: Int32
    /// What the kernel said beside the number, where it did (netlink's extended acknowledgement).
    package let detail: String?

    package init(call: String, path: String?, errno: Int32, detail: String? = nil) {
        self.call = call
        self.path = path
        self.errno = errno
        self.detail = detail
    }

    package var reason: String {
        let reason = String(cString: strerror(errno)).lowercased(firstOnly: true)
        return detail.map { "\(reason) (\($0))" } ?? reason
    }

    package var description: String {
        path.map { "\(call) \($0): \(reason)" } ?? "\(call): \(reason)"
    }

    package var code: Failure.Code {
        switch errno {
        case ENOENT, ESRCH, ENXIO, ENODEV: .notFound
        case EEXIST: .alreadyExists
        case EPERM, EACCES, EROFS: .permissionDenied
        case EINVAL, ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP: .invalidArgument
        case ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE, EAGAIN, E2BIG, EFBIG: .resourceExhausted
        case ENOSYS, EOPNOTSUPP: .unsupported
        case EBUSY, ENOTEMPTY, ETXTBSY: .conflict
        case ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH: .unavailable
        case EIO, EUCLEAN: .dataLoss
        case EINTR: .interrupted
        default: .internal
        }
    }

    /// The failure of what was being done, e.g. `mount volume db at /var/lib/db: read-only file system`.
    package func failure(_ doing: String, hint: String? = nil) -> Failure {
        Failure(code, "\(doing): \(reason)", hint: hint ?? standardHint, cause: self)
    }

    private var standardHint: String? {
        errno == ENOSPC ? "the disk is full; \"ctr rmi\" and \"ctr volume prune\" free space" : nil
    }
}

extension Failure {
    /// For a call whose own words are the best there are.
    package init(_ error: SystemError) {
        self.init(error.code, error.description, cause: error)
    }
}

extension String {
    fileprivate func lowercased(firstOnly: Bool) -> String {
        guard let first else { return self }
        return first.lowercased() + dropFirst()
    }
}

/// Makes a system call: retries EINTR, turns -errno into a named error, and in debug builds fails on request
/// (`CTR_FAULT`, see `Fault`). Every call of this target goes through here.
@inline(__always)
@discardableResult
func call(
    _ name: StaticString, _ path: @autoclosure () -> String? = nil, _ body: () -> Int
) throws(SystemError) -> Int {
    #if DEBUG
        if let injected = Fault.due(at: name.description) {
            throw SystemError(call: name.description, path: path(), errno: injected)
        }
    #endif
    while true {
        let answer = body()
        if answer >= 0 { return answer }
        if answer == -Int(EINTR) { continue }
        throw SystemError(call: name.description, path: path(), errno: Int32(-answer))
    }
}
