internal import Glibc
internal import LinuxSystem

extension SystemError {
    var isTryAgain: Bool { errno == EAGAIN }
    var isReadOnly: Bool { errno == EROFS }
    var isBusy: Bool { errno == EBUSY }
    var isNotDirectory: Bool { errno == ENOTDIR }
    var isMissing: Bool { errno == ENOENT }
    var isNotEmpty: Bool { errno == ENOTEMPTY || errno == EEXIST }

    static func tooManyLinks(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ELOOP)
    }

    static func notDirectory(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ENOTDIR)
    }

    static func damaged(_ path: String) -> SystemError {
        SystemError(call: "read", path: path, errno: EIO)
    }

    static func notEmpty(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ENOTEMPTY)
    }
}
