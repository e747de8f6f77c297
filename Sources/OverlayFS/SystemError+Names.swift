internal import Glibc
internal import LinuxSystem

extension SystemError {
    var isExists: Bool { errno == EEXIST }
    var isMissing: Bool { errno == ENOENT }
    var isLink: Bool { errno == ELOOP }
    var isNotDirectory: Bool { errno == ENOTDIR }
    var isNotPermitted: Bool { errno == EPERM }
    var isUnsupported: Bool { errno == EOPNOTSUPP }
    var isInvalid: Bool { errno == EINVAL }
    var isNoCall: Bool { errno == ENOSYS }
    var isNoDevice: Bool { errno == ENODEV }
}

/// mount(2)'s page is full.
func tooLong(_ layers: Int) -> SystemError {
    SystemError(call: "mount", path: "overlay of \(layers) layers", errno: E2BIG)
}
