import Foundation
import LinuxSystem

/// A socket that descriptors are sent to: a console socket, a seccomp agent's.
final class DescriptorReceiver {
    let path: String
    private let listener: FileDescriptor

    init(in directory: String, _ name: String) throws {
        path = "\(directory)/\(name)"
        let place = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(place) }
        listener = try UnixSocket.listen(name, in: place, .stream)
    }

    /// The next message with its descriptors, which the caller closes.
    func receive(timeout: Double = 10) throws -> (bytes: [UInt8], descriptors: [Int32]) {
        let deadline = Date() + timeout
        while Date() < deadline {
            var ready = [pollfd(fd: listener.raw, events: Int16(POLLIN), revents: 0)]
            guard poll(&ready, 1, 50) > 0, let connection = try UnixSocket.accept(listener) else { continue }
            var wait = [pollfd(fd: connection.raw, events: Int16(POLLIN), revents: 0)]
            guard poll(&wait, 1, 5000) > 0 else { continue }
            var buffer = [UInt8](repeating: 0, count: 1 << 16)
            let number = connection.raw
            let message = try buffer.withUnsafeMutableBytes { try UnixSocket.receive(into: $0, from: number) }
            return (Array(buffer[..<message.size]), message.descriptors)
        }
        throw TestFailure("nobody has sent a descriptor to \(path)")
    }

    /// The master of a terminal.
    func receiveTerminal() throws -> TerminalMaster {
        let (_, descriptors) = try receive()
        guard let master = descriptors.first, descriptors.count == 1 else {
            for descriptor in descriptors { close(descriptor) }
            throw TestFailure("\(descriptors.count) descriptors, not one")
        }
        return TerminalMaster(master)
    }
}

/// The side of a terminal where the person sits.
final class TerminalMaster {
    let descriptor: Int32
    private(set) var screen = ""

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    deinit { close(descriptor) }

    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }

    var size: (rows: UInt16, columns: UInt16) {
        var size = winsize()
        _ = ioctl(descriptor, UInt(TIOCGWINSZ), &size)
        return (size.ws_row, size.ws_col)
    }

    func waitFor(_ text: String, timeout: Double = 10) throws {
        let deadline = Date() + timeout
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !screen.contains(text) {
            guard Date() < deadline else { throw TestFailure("no \"\(text)\" on the terminal: \(screen)") }
            var ready = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
            _ = poll(&ready, 1, 50)
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 { screen += String(decoding: buffer[..<count], as: UTF8.self) }
            if count < 0, errno == EIO { usleep(1000) }
        }
    }
}
