package import Failure

/// A range of addresses that begin with the same bits: a subnet, or a route's destination (RFC 4632, RFC 4291 2.3).
package struct IPPrefix: Hashable, Comparable, Sendable {
    /// The lowest address: no bit after `length` is set.
    package let first: IPAddress
    /// 0 to 32, or to 128.
    package let length: Int

    /// The range that an address is in. `length` is the caller's to check: 0 to the family's width.
    package init(of address: IPAddress, length: Int) {
        precondition(length >= 0 && length <= address.family.width)
        first = address.filled(after: length, with: false)
        self.length = length
    }

    /// `10.1.0.0/24`, `fd00:1::/64`; both parts are needed, and no bit after the length may be set.
    package init(_ text: String) throws(Failure) {
        let written = try InterfaceAddress(text)
        self.init(of: written.address, length: written.length)
        guard first == written.address else {
            throw Failure(
                .invalidArgument, "\(text) has bits set after the first \(length)", hint: "write \(self)")
        }
    }

    package var family: IPFamily { first.family }

    /// The highest address; of IPv4 networks up to /30 the broadcast address.
    package var last: IPAddress { first.filled(after: length, with: true) }

    package func contains(_ address: IPAddress) -> Bool {
        address.family == family && address.filled(after: length, with: false) == first
    }

    package func contains(_ other: IPPrefix) -> Bool { other.length >= length && contains(other.first) }

    package func overlaps(_ other: IPPrefix) -> Bool { contains(other) || other.contains(self) }

    /// The lowest and highest address that a host may have: of IPv4 without network and broadcast address (but both of
    /// a /31, RFC 3021), of IPv6 without the routers' anycast address (RFC 4291 2.6.1; but both of a /127, RFC 6164).
    package var hosts: ClosedRange<IPAddress> {
        guard length < family.width - 1, let second = first.advanced(by: 1) else { return first...last }
        switch last {
        case .v4(let last): return second...IPAddress.v4(IPv4Address(value: last.value - 1))
        case .v6: return second...last
        }
    }

    package static func < (left: IPPrefix, right: IPPrefix) -> Bool {
        left.first != right.first ? left.first < right.first : left.length < right.length
    }
}

extension IPPrefix: CustomStringConvertible {
    package var description: String { "\(first)/\(length)" }
}

/// An address and the length of its subnet's prefix: what an interface is given.
package struct InterfaceAddress: Hashable, Sendable {
    package let address: IPAddress
    package let length: Int

    /// `length` is the caller's to check: 0 to the family's width.
    package init(_ address: IPAddress, length: Int) {
        precondition(length >= 0 && length <= address.family.width)
        self.address = address
        self.length = length
    }

    /// `10.1.0.5/24`; both parts are needed.
    package init(_ text: String) throws(Failure) {
        guard let slash = text.utf8.firstIndex(of: UInt8(ascii: "/")) else {
            throw Failure(.invalidArgument, "\(text) has no prefix length", hint: "write e.g. 10.1.0.0/24")
        }
        guard let address = IPAddress(String(text[..<slash])) else {
            throw Failure(.invalidArgument, "\(text[..<slash]) is not an IP address")
        }
        let digits = text[slash...].dropFirst()
        guard let length = Int(digits), length >= 0, length <= address.family.width, String(length) == digits
        else {
            throw Failure(
                .invalidArgument, "\(text): the prefix length must be 0 to \(address.family.width)")
        }
        self.init(address, length: length)
    }

    package var subnet: IPPrefix { IPPrefix(of: address, length: length) }
}

extension InterfaceAddress: CustomStringConvertible {
    package var description: String { "\(address)/\(length)" }
}
