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

    /// Of a call that was not made: what it would have answered.
    package static func notEmpty(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ENOTEMPTY)
    }
}
