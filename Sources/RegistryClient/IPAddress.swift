/// An address literal, parsed without a system call: rules about hosts must not ask a name server.
struct IPAddress: Hashable, Sendable {
    /// 4 or 16 bytes.
    let bytes: [UInt8]

    init?(_ literal: some StringProtocol) {
        let text = String(literal)
        if let four = IPAddress.version4(text) {
            bytes = four
        } else if let sixteen = IPAddress.version6(text) {
            // ::ffff:a.b.c.d is the IPv4 address in another dress.
            let mapped =
                sixteen.prefix(10).allSatisfy { $0 == 0 } && sixteen[10] == 0xFF && sixteen[11] == 0xFF
            bytes = mapped ? Array(sixteen[12...]) : sixteen
        } else {
            return nil
        }
    }

    var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    /// Whether the first `bits` bits are those of `network`.
    func isInside(_ network: IPAddress, bits: Int) -> Bool {
        guard bytes.count == network.bytes.count, (0...bytes.count * 8).contains(bits) else { return false }
        for bit in 0..<bits {
            let mask: UInt8 = 0x80 >> UInt8(bit % 8)
            if bytes[bit / 8] & mask != network.bytes[bit / 8] & mask { return false }
        }
        return true
    }

    private static func version4(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let byte = UInt8(part)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func version6(_ text: String) -> [UInt8]? {
        let groups = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard groups.count >= 3, groups.count <= 9 else { return nil }
        var head: [UInt8] = []
        var tail: [UInt8] = []
        var compressed = false
        for (index, group) in groups.enumerated() {
            if group.isEmpty {
                let atEdge = index == 0 || index == groups.count - 1
                // An edge is empty only next to the `::` itself.
                if index == 0, groups[1].isEmpty { continue }
                if index == groups.count - 1, groups[index - 1].isEmpty { continue }
                guard !atEdge, !compressed else { return nil }
                compressed = true
                continue
            }
            var bytes: [UInt8]
            if index == groups.count - 1, let four = version4(group) {
                bytes = four
            } else {
                guard group.utf8.count <= 4,
                    group.utf8.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }),
                    let value = UInt16(group, radix: 16)
                else { return nil }
                bytes = [UInt8(value >> 8), UInt8(value & 0xFF)]
            }
            if compressed { tail += bytes } else { head += bytes }
        }
        let given = head.count + tail.count
        guard compressed ? given <= 14 : given == 16 else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - given) + tail
    }
}
