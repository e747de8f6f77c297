import Glibc
import LinuxSystem
import Networks
import Testing

/// One end of a talk over the internet's protocols, in a network namespace of a test's.
final class Peer {
    let raw: Int32
    private let kind: InternetSocket.Kind

    private init(_ socket: consuming FileDescriptor, _ kind: InternetSocket.Kind) {
        raw = socket.release()
        self.kind = kind
    }

    deinit { close(raw) }

    static func listening(
        in place: SharedFileDescriptor, _ kind: InternetSocket.Kind, _ address: String, _ port: UInt16
    ) throws -> Peer {
        let endpoint = try endpoint(address, port)
        return try Machine.inside(place) { Peer(try InternetSocket.listen(kind, at: endpoint), kind) }
    }

    private static func endpoint(_ address: String, _ port: UInt16) throws -> InternetEndpoint {
        InternetEndpoint(address: try #require(IPAddress(address)).bytes, port: port)
    }

    /// Asks a listener `ping` from another place.
    /// - Returns: the address as which the listener saw the asker; nil where no answer came back.
    func answers(
        from place: SharedFileDescriptor, to address: String, _ port: UInt16, patience: Int32 = 10_000
    ) throws -> String? {
        let endpoint = try Peer.endpoint(address, port)
        // A datagram may be lost where a neighbour is not known yet.
        for _ in 0..<(kind == .datagram ? max(1, patience / 500) : 1) {
            let client = try Machine.inside(place) {
                let asker = Peer(try InternetSocket.open(kind, addressSize: endpoint.address.count), kind)
                do throws(SystemError) {
                    _ = try InternetSocket.connect(asker.raw, to: endpoint)
                    return Peer?.some(asker)
                } catch { return nil }
            }
            guard let client else { return nil }
            let wait = kind == .datagram ? min(patience, 500) : patience
            if kind == .stream {
                guard try FileDescriptor.wait(for: client.raw, write: true, milliseconds: wait) else {
                    return nil
                }
            }
            guard (try? InternetSocket.send(Array("ping".utf8)[...], over: client.raw)) == 4 else {
                return nil
            }
            guard let seen = try hear(wait) else { continue }
            guard try FileDescriptor.wait(for: client.raw, milliseconds: wait),
                try InternetSocket.receive(from: client.raw) == Array("pong".utf8)
            else { continue }
            return seen
        }
        return nil
    }

    private func hear(_ patience: Int32) throws -> String? {
        guard try FileDescriptor.wait(for: raw, milliseconds: patience) else { return nil }
        if kind == .datagram {
            guard let (bytes, sender) = try InternetSocket.receiveDatagram(from: raw),
                bytes == Array("ping".utf8)
            else { return nil }
            try InternetSocket.send(Array("pong".utf8), to: sender, over: raw)
            return IPAddress(bytes: sender.address)?.description
        }
        var storage = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        let number = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { accept(raw, $0, &size) }
        }
        guard number >= 0 else { return nil }
        let connection = Peer(FileDescriptor(owning: number), kind)
        guard try FileDescriptor.wait(for: connection.raw, milliseconds: patience),
            try InternetSocket.receive(from: connection.raw) == Array("ping".utf8)
        else { return nil }
        _ = try InternetSocket.send(Array("pong".utf8)[...], over: connection.raw)
        let bytes = withUnsafeBytes(of: storage) { Array($0[size == 16 ? 4..<8 : 8..<24]) }
        return IPAddress(bytes: bytes)?.description
    }
}
