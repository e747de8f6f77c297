internal import CLinux
internal import Glibc

/// An address of the internet and a port.
package struct InternetEndpoint: Sendable, Hashable {
    /// 4 bytes (IPv4) or 16 (IPv6), in the network's order.
    package var address: [UInt8]
    package var port: UInt16
    /// The device of a link-local IPv6 address by its index; else 0.
    package var scope: UInt32

    package init(address: [UInt8], port: UInt16, scope: UInt32 = 0) {
        precondition(address.count == 4 || address.count == 16)
        self.address = address
        self.port = port
        self.scope = scope
    }

    fileprivate init(_ raw: ctr_internet) {
        address = withUnsafeBytes(of: raw.address) { Array($0.prefix(raw.size == 4 ? 4 : 16)) }
        port = raw.port
        scope = raw.scope
    }

    fileprivate var raw: ctr_internet {
        var raw = ctr_internet()
        raw.size = UInt32(address.count)
        raw.port = port
        raw.scope = scope
        withUnsafeMutableBytes(of: &raw.address) { $0.copyBytes(from: address) }
        return raw
    }
}

/// UDP and TCP, nonblocking, in the network namespace that the calling thread is in when a socket is made.
package enum InternetSocket {
    package enum Kind: Int32, Sendable { case stream = 1, datagram = 2 }

    /// - Parameter addressSize: 4 for IPv4, 16 for IPv6.
    package static func open(_ kind: Kind, addressSize: Int) throws(SystemError) -> FileDescriptor {
        let family = addressSize == 4 ? AF_INET : AF_INET6
        let socket = FileDescriptor(
            owning: Int32(try call("socket") { ctr_socket(family, kind.rawValue, 0) }))
        try socket.setNonBlocking(true)
        return socket
    }

    /// A socket that is bound, and listens where it is a stream's. Port 0 is one that is free (``localEndpoint(of:)``).
    package static func listen(_ kind: Kind, at endpoint: InternetEndpoint) throws(SystemError)
        -> FileDescriptor
    {
        let socket = try open(kind, addressSize: endpoint.address.count)
        let number = socket.raw
        var raw = endpoint.raw
        // For a listener: connections that wait for their end do not hold the port. For datagrams it would let two
        // programs take the same port.
        if kind == .stream { try call("setsockopt") { ctr_allow_address_reuse(number) } }
        try call("bind", "port \(endpoint.port)") { ctr_bind_internet(number, &raw) }
        if kind == .stream { try call("listen") { ctr_listen(number, 64) } }
        return socket
    }

    /// A socket that only has the port, so that no program of the host gets it. Port 0 is one that is free.
    ///
    /// - Parameter isShared: others of the same user who say so too may have it as well.
    package static func hold(_ kind: Kind, _ endpoint: InternetEndpoint, isShared: Bool) throws(SystemError)
        -> FileDescriptor
    {
        let socket = try open(kind, addressSize: endpoint.address.count)
        let number = socket.raw
        var raw = endpoint.raw
        if endpoint.address.count == 16 { try call("setsockopt") { ctr_only_ipv6(number) } }
        if isShared { try call("setsockopt") { ctr_share_port(number) } }
        try call("bind", "port \(endpoint.port)") { ctr_bind_internet(number, &raw) }
        return socket
    }

    /// Answers false where the connection is still being made: the socket becomes writable then, see ``error(of:)``.
    package static func connect(_ socket: Int32, to endpoint: InternetEndpoint) throws(SystemError) -> Bool {
        var raw = endpoint.raw
        do throws(SystemError) {
            try call("connect") { ctr_connect_internet(socket, &raw) }
            return true
        } catch {
            if error.errno == EINPROGRESS { return false }
            throw error
        }
    }

    package static func localEndpoint(of socket: Int32) throws(SystemError) -> InternetEndpoint {
        var raw = ctr_internet()
        try call("getsockname") { ctr_own_internet(socket, &raw) }
        return InternetEndpoint(raw)
    }

    /// Throws what became of a connection, or what the network told of a datagram (SO_ERROR).
    package static func checkError(of socket: Int32) throws(SystemError) {
        try call("connect") { ctr_take_socket_error(socket) }
    }

    package static func send(_ bytes: [UInt8], to endpoint: InternetEndpoint, over socket: Int32)
        throws(SystemError)
    {
        var raw = endpoint.raw
        try call("sendto") { ctr_send_to(socket, bytes, bytes.count, &raw) }
    }

    /// Over a connected socket. Answers how many bytes were taken: of a stream perhaps not all, 0 when none can be now.
    package static func send(_ bytes: ArraySlice<UInt8>, over socket: Int32) throws(SystemError) -> Int {
        do throws(SystemError) {
            return try call("send") {
                bytes.withUnsafeBytes { ctr_send(socket, $0.baseAddress, $0.count) }
            }
        } catch {
            if error.errno == EAGAIN { return 0 }
            throw error
        }
    }

    /// The next datagram and who sent it; nil when none waits.
    package static func receiveDatagram(from socket: Int32) throws(SystemError) -> (
        bytes: [UInt8], sender: InternetEndpoint
    )? {
        var raw = ctr_internet()
        guard
            let bytes = try receive({ ctr_receive_from(socket, $0, $1, &raw) })
        else { return nil }
        return (bytes, InternetEndpoint(raw))
    }

    /// What a connection has; empty at its end, nil when nothing waits.
    package static func receive(from socket: Int32) throws(SystemError) -> [UInt8]? {
        try receive { ctr_read(socket, $0, $1) }
    }

    /// The room is as large as any datagram; the kernel gives memory only for the pages that are written.
    private static func receive(_ body: (UnsafeMutableRawPointer?, Int) -> Int) throws(SystemError)
        -> [UInt8]?
    {
        let room = 65_535
        let buffer = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 8)
        defer { buffer.deallocate() }
        do throws(SystemError) {
            let size = try call("recv") { body(buffer, room) }
            return Array(UnsafeRawBufferPointer(start: buffer, count: size))
        } catch {
            if error.errno == EAGAIN { return nil }
            throw error
        }
    }
}
