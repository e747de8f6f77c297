internal import Glibc
internal import LinuxSystem

extension SystemError {
    static func damaged(_ path: String) -> SystemError {
        SystemError(call: "read", path: path, errno: EIO)
    }
}
