internal import Glibc
internal import LinuxSystem

extension SystemError {
    static func tooManyLinks(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ELOOP)
    }

    static func notDirectory(_ path: String) -> SystemError {
        SystemError(call: "open", path: path, errno: ENOTDIR)
    }

    static func damaged(_ path: String) -> SystemError {
        SystemError(call: "read", path: path, errno: EIO)
    }
}
