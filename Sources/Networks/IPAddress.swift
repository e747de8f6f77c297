/// An IPv4 address; ordered as numbers.
package struct IPv4Address: Hashable, Comparable, Sendable {
    /// In the host's byte order: 10.0.0.1 is 0x0a000001.
    package let value: UInt32

    package init(value: UInt32) { self.value = value }

    /// Four decimal numbers of 0 to 255, without leading zeros: no shorter or octal form of inet_aton(3).
    package init?(_ text: String) {
        var value: UInt32 = 0
        var parts = 0
        var part: UInt32 = 0
        var digits = 0
        for byte in text.utf8 {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, parts < 3 else { return nil }
                value = value << 8 | part
                parts += 1
                part = 0
                digits = 0
                continue
            }
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), digits == 0 || part > 0 else {
                return nil
            }
            part = part * 10 + UInt32(byte - UInt8(ascii: "0"))
            digits += 1
            guard part <= 255 else { return nil }
        }
        guard parts == 3, digits > 0 else { return nil }
        self.value = value << 8 | part
    }

    package static func < (left: IPv4Address, right: IPv4Address) -> Bool { left.value < right.value }
}

extension IPv4Address: CustomStringConvertible {
    package var description: String {
        "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    }
}

/// An IPv6 address, without a zone; ordered as numbers.
package struct IPv6Address: Hashable, Comparable, Sendable {
    /// The first and the last eight bytes, in the host's byte order.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package static func < (left: IPv6Address, right: IPv6Address) -> Bool {
        left.high != right.high ? left.high < right.high : left.low < right.low
    }

    /// RFC 4291, section 2.2: the full form, `::` once for at least one group, the last 32 bits as an IPv4 address.
    package init?(_ text: String) {
        var groups: [UInt16] = []
        var gap: Int?
        let bytes = Array(text.utf8)
        var at = 0
        let colon = UInt8(ascii: ":")
        if bytes.first == colon {
            guard bytes.count >= 2, bytes[1] == colon else { return nil }
            gap = 0
            at = 2
        }
        while at < bytes.count {
            let start = at
            while at < bytes.count, bytes[at] != colon { at += 1 }
            let part = bytes[start..<at]
            if part.contains(UInt8(ascii: ".")) {
                guard at == bytes.count, groups.count <= 6,
                    let tail = IPv4Address(String(decoding: part, as: UTF8.self))
                else { return nil }
                groups.append(UInt16(tail.value >> 16))
                groups.append(UInt16(truncatingIfNeeded: tail.value))
                break
            }
            guard groups.count < 8, let group = IPv6Address.group(part) else { return nil }
            groups.append(group)
            guard at < bytes.count else { break }
            at += 1
            // A lone colon at the end.
            guard at < bytes.count else { return nil }
            if bytes[at] == colon {
                guard gap == nil else { return nil }
                gap = groups.count
                at += 1
            }
        }
        if let gap {
            guard groups.count < 8 else { return nil }
            groups.insert(contentsOf: [UInt16](repeating: 0, count: 8 - groups.count), at: gap)
        }
        guard groups.count == 8 else { return nil }
        var halves: (UInt64, UInt64) = (0, 0)
        for i in 0..<4 {
            halves.0 = halves.0 << 16 | UInt64(groups[i])
            halves.1 = halves.1 << 16 | UInt64(groups[i + 4])
        }
        high = halves.0
        low = halves.1
    }

    private static func group(_ text: ArraySlice<UInt8>) -> UInt16? {
        guard !text.isEmpty, text.count <= 4 else { return nil }
        var value: UInt16 = 0
        for byte in text {
            guard let digit = hexDigit(byte) else { return nil }
            value = value << 4 | UInt16(digit)
        }
        return value
    }
}

extension IPv6Address: CustomStringConvertible {
    /// The canonical text of RFC 5952: lower case, the longest run of at least two zero groups (the first of equals) as
    /// `::`, an address that embeds an IPv4 one (::ffff:0:0/96) with it in decimals.
    package var description: String {
        if high == 0, low >> 32 == 0xffff {
            return "::ffff:\(IPv4Address(value: UInt32(truncatingIfNeeded: low)))"
        }
        var groups: [UInt64] = []
        for half in [high, low] {
            for shift in [48, 32, 16, 0] as [UInt64] { groups.append(half >> shift & 0xffff) }
        }
        var run = (start: 0, count: 0)
        var i = 0
        while i < 8 {
            var end = i
            while end < 8, groups[end] == 0 { end += 1 }
            if end - i > run.count { run = (i, end - i) }
            i = max(end, i + 1)
        }
        var text = ""
        i = 0
        while i < 8 {
            if run.count > 1, i == run.start {
                text += "::"
                i += run.count
                continue
            }
            if !text.isEmpty, !text.hasSuffix("::") { text += ":" }
            text += String(groups[i], radix: 16)
            i += 1
        }
        return text
    }
}

/// nil for what is no digit.
func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
}

package enum IPFamily: UInt8, Hashable, Sendable, CaseIterable {
    // AF_INET and AF_INET6.
    case v4 = 2
    case v6 = 10

    /// Bits of an address.
    package var width: Int { self == .v4 ? 32 : 128 }
}

/// An address of either family; every IPv4 one before every IPv6 one.
package enum IPAddress: Hashable, Comparable, Sendable {
    case v4(IPv4Address)
    case v6(IPv6Address)

    package init?(_ text: String) {
        if let address = IPv4Address(text) {
            self = .v4(address)
        } else if let address = IPv6Address(text) {
            self = .v6(address)
        } else {
            return nil
        }
    }

    /// From 4 or 16 bytes in network order; nil for any other number.
    package init?(bytes: [UInt8]) {
        var halves: (UInt64, UInt64) = (0, 0)
        for (i, byte) in bytes.enumerated() {
            if i < 8 {
                halves.0 = halves.0 << 8 | UInt64(byte)
            } else {
                halves.1 = halves.1 << 8 | UInt64(byte)
            }
        }
        switch bytes.count {
        case 4: self = .v4(IPv4Address(value: UInt32(halves.0)))
        case 16: self = .v6(IPv6Address(high: halves.0, low: halves.1))
        default: return nil
        }
    }

    package var family: IPFamily {
        if case .v4 = self { .v4 } else { .v6 }
    }

    /// In network order.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        switch self {
        case .v4(let address):
            for shift in [24, 16, 8, 0] as [UInt32] {
                bytes.append(UInt8(truncatingIfNeeded: address.value >> shift))
            }
        case .v6(let address):
            for half in [address.high, address.low] {
                for shift in stride(from: UInt64(56), through: 0, by: -8) {
                    bytes.append(UInt8(truncatingIfNeeded: half >> shift))
                }
            }
        }
        return bytes
    }

    /// 0.0.0.0 or `::`.
    package var isUnspecified: Bool {
        switch self {
        case .v4(let address): address.value == 0
        case .v6(let address): address.high == 0 && address.low == 0
        }
    }

    /// 127.0.0.0/8 or `::1`.
    package var isLoopback: Bool {
        switch self {
        case .v4(let address): address.value >> 24 == 127
        case .v6(let address): address.high == 0 && address.low == 1
        }
    }

    /// 169.254.0.0/16 or fe80::/10.
    package var isLinkLocal: Bool {
        switch self {
        case .v4(let address): address.value >> 16 == 0xa9fe
        case .v6(let address): address.high >> 54 == 0x3fa
        }
    }

    /// 224.0.0.0/4 or ff00::/8.
    package var isMulticast: Bool {
        switch self {
        case .v4(let address): address.value >> 28 == 0xe
        case .v6(let address): address.high >> 56 == 0xff
        }
    }

    /// nil past the family's last address.
    package func advanced(by count: UInt64) -> IPAddress? {
        switch self {
        case .v4(let address):
            guard let count = UInt32(exactly: count) else { return nil }
            let (value, over) = address.value.addingReportingOverflow(count)
            return over ? nil : .v4(IPv4Address(value: value))
        case .v6(let address):
            let (low, carry) = address.low.addingReportingOverflow(count)
            let (high, over) = address.high.addingReportingOverflow(carry ? 1 : 0)
            return over ? nil : .v6(IPv6Address(high: high, low: low))
        }
    }

    /// `address` with the bits after the first `length` of it all zero or all one.
    func filled(after length: Int, with ones: Bool) -> IPAddress {
        switch self {
        case .v4(let address):
            // A shift by the whole width gives 0.
            let host = UInt32.max >> UInt32(length)
            return .v4(IPv4Address(value: ones ? address.value | host : address.value & ~host))
        case .v6(let address):
            let high = UInt64.max >> UInt64(min(length, 64))
            let low = UInt64.max >> UInt64(max(length - 64, 0))
            return .v6(
                ones
                    ? IPv6Address(high: address.high | high, low: address.low | low)
                    : IPv6Address(high: address.high & ~high, low: address.low & ~low))
        }
    }
}

extension IPAddress: CustomStringConvertible {
    package var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }
}
