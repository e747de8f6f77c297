internal import CLinux
internal import Glibc

/// AF_UNIX sockets, with descriptors as passengers.
package enum UnixSocket {
    package enum Kind: Int32, Sendable { case stream = 1, datagram = 2, packet = 5 }

    package static func pair(_ kind: Kind) throws(SystemError) -> FileDescriptor.Pair {
        var ends: (Int32, Int32) = (0, 0)
        try call("socketpair") {
            withUnsafeMutableBytes(of: &ends) {
                ctr_socketpair(kind.rawValue, $0.assumingMemoryBound(to: Int32.self).baseAddress)
            }
        }
        return FileDescriptor.Pair(
            first: FileDescriptor(owning: ends.0), second: FileDescriptor(owning: ends.1))
    }

    /// A nonblocking listener, mode 0600, on a name in an open directory (any path length).
    package static func listen(_ name: String, in directory: Int32, _ kind: Kind) throws(SystemError)
        -> FileDescriptor
    {
        FileDescriptor(
            owning: Int32(try call("listen", name) { ctr_unix_listen(directory, name, kind.rawValue, 64) }))
    }

    package static func connect(_ name: String, in directory: Int32, _ kind: Kind) throws(SystemError)
        -> FileDescriptor
    {
        FileDescriptor(
            owning: Int32(try call("connect", name) { ctr_unix_connect(directory, name, kind.rawValue) }))
    }

    /// The next connection, nonblocking; nil when none waits.
    package static func accept(_ listener: borrowing FileDescriptor) throws(SystemError) -> FileDescriptor? {
        let number = listener.raw
        do throws(SystemError) {
            return FileDescriptor(owning: Int32(try call("accept") { ctr_accept(number) }))
        } catch {
            if error.errno == EAGAIN || error.errno == ECONNABORTED { return nil }
            throw error
        }
    }

    /// Who connected (SO_PEERCRED).
    package static func peerUID(_ socket: borrowing FileDescriptor) throws(SystemError) -> UInt32 {
        let number = socket.raw
        return UInt32(try call("getsockopt") { ctr_peer_uid(number) })
    }

    /// One message; at most 250 descriptors. Returns the bytes sent.
    @discardableResult
    package static func send(_ bytes: UnsafeRawBufferPointer, descriptors: [Int32] = [], to socket: Int32)
        throws(SystemError) -> Int
    {
        try call("sendmsg") {
            ctr_send_fds(socket, bytes.baseAddress, bytes.count, descriptors, Int32(descriptors.count))
        }
    }

    /// One message with its descriptors; 0 bytes at the end of the stream.
    package static func receive(into buffer: UnsafeMutableRawBufferPointer, from socket: Int32)
        throws(SystemError) -> (size: Int, descriptors: [Int32])
    {
        var numbers = [Int32](repeating: -1, count: 250)
        var count: Int32 = 250
        let size = try call("recvmsg") {
            count = 250
            return ctr_receive_fds(socket, buffer.baseAddress, buffer.count, &numbers, &count)
        }
        return (size, Array(numbers[..<Int(count)]))
    }

    /// The first bytes of what waits, which goes on waiting; fewer at the end of the stream. Of a blocking socket.
    package static func peek(_ count: Int, from socket: Int32) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let size = try call("recv") {
            bytes.withUnsafeMutableBytes { ctr_peek(socket, $0.baseAddress, $0.count) }
        }
        return Array(bytes[..<size])
    }

    package static func shutDownWriting(_ socket: Int32) throws(SystemError) {
        try call("shutdown") { ctr_shutdown(socket, Int32(1)) }
    }
}

extension UnixSocket {
    /// All of it, without SIGPIPE where the other end is gone (EPIPE then).
    package static func sendAll(_ bytes: [UInt8], to socket: Int32) throws(SystemError) {
        var done = 0
        while done < bytes.count {
            var failed: SystemError?
            bytes.withUnsafeBytes { buffer in
                do throws(SystemError) {
                    done += try send(UnsafeRawBufferPointer(rebasing: buffer[done...]), to: socket)
                } catch { failed = error }
            }
            if let failed { throw failed }
        }
    }
}
