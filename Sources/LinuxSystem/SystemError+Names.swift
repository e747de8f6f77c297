internal import Glibc

extension SystemError {
    package var isExists: Bool { errno == EEXIST }
    package var isMissing: Bool { errno == ENOENT }
    package var isLink: Bool { errno == ELOOP }
    package var isDirectory: Bool { errno == EISDIR }
    package var isNotDirectory: Bool { errno == ENOTDIR }
    package var isNotPermitted: Bool { errno == EPERM }
    package var isUnsupported: Bool { errno == EOPNOTSUPP }
    package var isInvalid: Bool { errno == EINVAL }
    package var isNoCall: Bool { errno == ENOSYS }
    package var isNoDevice: Bool { errno == ENODEV }
    package var isTryAgain: Bool { errno == EAGAIN }
    package var isReadOnly: Bool { errno == EROFS }
    package var isBusy: Bool { errno == EBUSY }

    package var isChanged: Bool { errno == ESTALE }

    // Of calls that were not made: what they would have answered.

    package static func tooManyLinks(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ELOOP)
    }

    package static func notDirectory(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ENOTDIR)
    }

    /// It is not any more the file that was looked at.
    package static func changed(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ESTALE)
    }

    package static func isDirectory(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: EISDIR)
    }

    /// Neither a file nor what stands for one.
    package static func notFile(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: EINVAL)
    }

    package static func notEmpty(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ENOTEMPTY)
    }
}
