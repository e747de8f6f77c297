import Glibc
import LinuxSystem
import Networks
import Testing

/// Frames as a container with CAP_NET_RAW makes them.
enum Frames {
    static func ethernet(_ from: MACAddress, _ to: MACAddress, _ type: UInt16, _ body: [UInt8]) -> [UInt8] {
        to.bytes + from.bytes + [UInt8(type >> 8), UInt8(type & 255)] + body
    }

    /// RFC 1071
    private static func checksum(_ bytes: [UInt8]) -> [UInt8] {
        var sum: UInt32 = 0
        for i in stride(from: 0, to: bytes.count, by: 2) {
            sum += UInt32(bytes[i]) << 8 | (i + 1 < bytes.count ? UInt32(bytes[i + 1]) : 0)
        }
        while sum > 0xffff { sum = sum & 0xffff + sum >> 16 }
        let value = ~UInt16(sum)
        return [UInt8(value >> 8), UInt8(value & 255)]
    }

    private static func word(_ number: Int) -> [UInt8] { [UInt8(number >> 8 & 255), UInt8(number & 255)] }

    /// An IP packet whose upper header has its checksum at an offset.
    private static func packet(
        _ from: IPAddress, _ to: IPAddress, _ number: UInt8, _ upper: [UInt8], checksumAt: Int
    ) -> [UInt8] {
        var upper = upper
        let pseudo = from.bytes + to.bytes + [0, number] + word(upper.count)
        upper.replaceSubrange(checksumAt..<checksumAt + 2, with: checksum(pseudo + upper))
        guard from.family == .v4 else {
            return [0x60, 0, 0, 0] + word(upper.count) + [number, 255] + from.bytes + to.bytes + upper
        }
        var header: [UInt8] =
            [0x45, 0] + word(20 + upper.count) + [0, 1, 0, 0, 64, number, 0, 0] + from.bytes + to.bytes
        header.replaceSubrange(10..<12, with: checksum(header))
        return header + upper
    }

    static func datagram(
        _ mac: MACAddress, _ from: IPAddress, to other: Container, port: UInt16, _ text: String
    ) -> [UInt8] {
        let to = other.address(from.family)
        let upper = [0x30, 0x39] + word(Int(port)) + word(8 + text.utf8.count) + [0, 0] + Array(text.utf8)
        return ethernet(
            mac, other.endpoint.mac, from.family == .v4 ? 0x0800 : 0x86dd,
            packet(from, to, 17, upper, checksumAt: 6))
    }

    /// "address is at mac", RFC 826.
    static func arpReply(
        _ address: IPAddress, isAt mac: MACAddress, sentBy sender: MACAddress, to other: Container
    ) -> [UInt8] {
        ethernet(
            sender, other.endpoint.mac, 0x0806,
            [0, 1, 8, 0, 6, 4, 0, 2] + mac.bytes + address.bytes + other.endpoint.mac.bytes + other.v4.bytes)
    }

    /// RFC 4861, 4.4, with the override flag and the target's link-layer address.
    static func neighbourAdvertisement(
        _ address: IPAddress, isAt mac: MACAddress, from: IPAddress, sentBy sender: MACAddress,
        to other: Container
    ) -> [UInt8] {
        let upper: [UInt8] = [136, 0, 0, 0, 0x60, 0, 0, 0] + address.bytes + [2, 1] + mac.bytes
        return ethernet(
            sender, other.endpoint.mac, 0x86dd, packet(from, other.v6, 58, upper, checksumAt: 2))
    }

    /// RFC 4861, 4.2: the sender is a router for half an hour.
    static func routerAdvertisement(sentBy sender: MACAddress) throws -> [UInt8] {
        let upper: [UInt8] = [134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1] + sender.bytes
        return ethernet(
            sender, try #require(MACAddress("33:33:00:00:00:01")), 0x86dd,
            packet(.v6(sender.linkLocal), try ip("ff02::1"), 58, upper, checksumAt: 2))
    }

    static func send(_ frame: [UInt8], _ world: World, from container: Container) throws {
        try world.inside(container.namespace) {
            var routes = try RouteSocket()
            let index = try routes.index(of: "eth0")
            // AF_PACKET, SOCK_RAW; struct sockaddr_ll.
            let raw = socket(17, 3, 0)
            try #require(raw >= 0)
            defer { close(raw) }
            var place: [UInt8] = [17, 0, 0, 0]
            withUnsafeBytes(of: index) { place += Array($0) }
            place += [UInt8](repeating: 0, count: 12)
            let sent = place.withUnsafeBytes {
                sendto(
                    raw, frame, frame.count, 0,
                    $0.assumingMemoryBound(to: sockaddr.self).baseAddress.unsafelyUnwrapped, 20)
            }
            try #require(sent == frame.count, "send a frame: \(errno)")
        }
    }
}
