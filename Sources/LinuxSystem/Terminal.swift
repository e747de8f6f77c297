internal import CLinux
internal import Glibc

/// A terminal's mode and size.
package enum Terminal {
    package struct Size: Sendable, Equatable {
        package var rows, columns: UInt16

        package init(rows: UInt16, columns: UInt16) {
            self.rows = rows
            self.columns = columns
        }
    }

    /// The mode to come back to.
    package struct Saved: Sendable { fileprivate var mode: ctr_termios }

    package static func isTerminal(_ number: Int32) -> Bool { ctr_isatty(number) == 1 }

    package static func size(_ number: Int32) throws(SystemError) -> Size {
        var size = Size(rows: 0, columns: 0)
        try call("ioctl") { ctr_get_winsize(number, &size.rows, &size.columns) }
        return size
    }

    package static func setSize(_ size: Size, of number: Int32) throws(SystemError) {
        try call("ioctl") { ctr_set_winsize(number, size.rows, size.columns) }
    }

    package static func makeRaw(_ number: Int32) throws(SystemError) -> Saved {
        let saved = try save(number)
        try call("tcsetattr") { ctr_tty_raw(number) }
        return saved
    }

    package static func hideInput(_ number: Int32) throws(SystemError) -> Saved {
        let saved = try save(number)
        try call("tcsetattr") { ctr_tty_no_echo(number) }
        return saved
    }

    private static func save(_ number: Int32) throws(SystemError) -> Saved {
        var mode = ctr_termios()
        try call("tcgetattr") { ctr_tty_save(number, &mode) }
        return Saved(mode: mode)
    }

    package static func restore(_ number: Int32, _ saved: Saved) {
        var mode = saved.mode
        _ = ctr_tty_restore(number, &mode)
    }
}

extension Terminal {
    /// A new pseudo-terminal's master, unlocked.
    package static func openMaster() throws(SystemError) -> FileDescriptor {
        let master = FileDescriptor(owning: Int32(try call("open", "/dev/ptmx") { ctr_open_ptmx() }))
        let number = master.raw
        try call("ioctl") { ctr_unlock_pty(number) }
        return master
    }

    /// The other side, straight from the master (TIOCGPTPEER): no path that a container could swap.
    package static func openPeer(of master: borrowing FileDescriptor) throws(SystemError) -> FileDescriptor {
        let number = master.raw
        return FileDescriptor(
            owning: Int32(try call("ioctl") { ctr_pty_peer(number, O_RDWR | O_NOCTTY | CTR_O_CLOEXEC) }))
    }
}
