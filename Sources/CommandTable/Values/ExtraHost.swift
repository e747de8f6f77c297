package import Failure

/// `--add-host NAME:ADDRESS` or `NAME=ADDRESS`: a line of the container's /etc/hosts.
///
/// The address may be the word `host-gateway`: where the container reaches the host.
package struct ExtraHost: Equatable, Sendable {
    package let name: String
    /// IPv4 or IPv6, without brackets, or ``hostGateway``.
    package let address: String

    package static let hostGateway = "host-gateway"

    package static func parse(_ text: String) throws(Failure) -> ExtraHost {
        let bytes = text.utf8
        guard
            let split = bytes.firstIndex(of: UInt8(ascii: "=")) ?? bytes.firstIndex(of: UInt8(ascii: ":"))
        else {
            throw Failure(.invalidArgument, "not of the form NAME:ADDRESS")
        }
        let name = String(text[..<split])
        var address = text[bytes.index(after: split)...]
        if address.hasPrefix("["), address.hasSuffix("]") { address = address.dropFirst().dropLast() }
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 != UInt8(ascii: "#") && $0 < 0x7f })
        else {
            throw Failure(.invalidArgument, "no host can be named \"\(name)\"")
        }
        guard isIPv4(address) || isIPv6(address) || address == hostGateway else {
            throw Failure(.invalidArgument, "\"\(address)\" is neither an IP address nor host-gateway")
        }
        return ExtraHost(name: name, address: String(address))
    }

    static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                guard let number = Digits.unsigned(part.utf8) else { return false }
                return number <= 255 && (part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0"))
            }
    }

    static func isIPv6(_ text: Substring) -> Bool {
        let bytes = text.utf8
        let gap = bytes.indices.first { bytes[$0...].starts(with: "::".utf8) }
        guard let gap else { return groupCount(text, mayEndInIPv4: true) == 8 }
        guard let left = groupCount(text[..<gap], mayEndInIPv4: false),
            let right = groupCount(text[bytes.index(gap, offsetBy: 2)...], mayEndInIPv4: true)
        else { return false }
        return left + right < 8
    }

    /// How many groups of 16 bits this stretch without `::` has; nil when it has something else.
    private static func groupCount(_ text: Substring, mayEndInIPv4: Bool) -> Int? {
        guard !text.isEmpty else { return 0 }
        let groups = text.split(separator: ":", omittingEmptySubsequences: false)
        var count = 0
        for (index, group) in groups.enumerated() {
            if mayEndInIPv4, index == groups.count - 1, isIPv4(group) {
                count += 2
            } else if (1...4).contains(group.utf8.count), group.utf8.allSatisfy(isHexDigit) {
                count += 1
            } else {
                return nil
            }
        }
        return count
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
    }
}
