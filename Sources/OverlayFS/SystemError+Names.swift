internal import Glibc
internal import LinuxSystem

extension SystemError {
    var isExists: Bool { errno == EEXIST }
    var isMissing: Bool { errno == ENOENT }
    var isLink: Bool { errno == ELOOP }
    var isNotDirectory: Bool { errno == ENOTDIR }
    var isNotPermitted: Bool { errno == EPERM }
    var isUnsupported: Bool { errno == EOPNOTSUPP }
}
