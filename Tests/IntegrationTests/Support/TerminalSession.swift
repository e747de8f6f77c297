import Foundation
import Testing

/// A program on a terminal of its own, with the test as the person in front of it.
final class TerminalSession {
    let child: ChildProcess
    private let master: Int32

    init(_ command: [String], rows: UInt16 = 24, columns: UInt16 = 80, environment: [String: String]) throws {
        // The requests of asm-generic/ioctls.h (x86_64 and aarch64 use the same).
        let TIOCGPTN: UInt = 0x8004_5430
        let TIOCSPTLCK: UInt = 0x4004_5431
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard master >= 0 else { throw TestFailure("/dev/ptmx: errno \(errno)") }
        var unlocked: Int32 = 0
        var number: UInt32 = 0
        _ = ioctl(master, TIOCSPTLCK, &unlocked)
        _ = ioctl(master, TIOCGPTN, &number)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
        child = try ChildProcess(
            command, terminal: "/dev/pts/\(number)", master: master, environment: environment)
    }

    deinit { close(master) }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
    }

    func resize(rows: UInt16, columns: UInt16) {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
    }

    /// Whether the terminal echoes and waits for whole lines, as it does when nobody made it raw.
    var isCooked: Bool {
        var mode = termios()
        tcgetattr(master, &mode)
        return mode.c_lflag & tcflag_t(ICANON) != 0 && mode.c_lflag & tcflag_t(ECHO) != 0
    }

    var screen: String { child.stdout }
    func waitFor(_ text: String, timeout: Double = 20) throws { try child.waitFor(text, timeout: timeout) }
    func finish(timeout: Double = 20) -> Outcome { child.finish(timeout: timeout) }
}
