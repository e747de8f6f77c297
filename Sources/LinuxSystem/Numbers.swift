internal import Glibc

/// errno values by their names in errno(3), for rooms that judge a `SystemError`.
package enum Errno {
    package static let again = EAGAIN
    package static let exists = EEXIST
    package static let noEntry = ENOENT
    package static let noProcess = ESRCH
    package static let notPermitted = EPERM
    package static let accessDenied = EACCES
    package static let notDirectory = ENOTDIR
    package static let isDirectory = EISDIR
    package static let notExecutable = ENOEXEC
    package static let textBusy = ETXTBSY
    package static let tooManyLinks = ELOOP
    package static let badLibrary = ELIBBAD
    package static let argumentsTooLong = E2BIG
    package static let invalid = EINVAL
    package static let outOfRange = ERANGE
    package static let notSupported = EOPNOTSUPP
    package static let badDescriptor = EBADF
    package static let busy = EBUSY
    package static let connectionReset = ECONNRESET
    package static let brokenPipe = EPIPE
    package static let protocolError = EPROTO
    package static let timedOut = ETIMEDOUT
    package static let readOnly = EROFS
    package static let noSpace = ENOSPC
    package static let noDevice = ENODEV
    package static let addressInUse = EADDRINUSE
    package static let addressNotAvailable = EADDRNOTAVAIL
}

/// Signals whose numbers are not the same on every architecture, and those that are.
package enum Signal {
    package static let hangUp = SIGHUP
    package static let interrupt = SIGINT
    package static let quit = SIGQUIT
    package static let kill = SIGKILL
    package static let user1 = SIGUSR1
    package static let user2 = SIGUSR2
    package static let pipe = SIGPIPE
    package static let terminate = SIGTERM
    package static let child = SIGCHLD
    package static let `continue` = SIGCONT
    package static let windowChange = SIGWINCH
}

extension Process {
    /// For `reap`: does not wait (WNOHANG).
    package static let withoutWaiting = WNOHANG

    package static func sleep(microseconds: UInt32) { usleep(microseconds) }
}
