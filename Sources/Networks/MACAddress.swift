/// The address of an Ethernet interface (IEEE 802, EUI-48).
package struct MACAddress: Hashable, Sendable {
    /// The lowest 48 bits; the first byte that is sent is the highest.
    package let value: UInt64

    /// Bits above the 48th are dropped.
    package init(value: UInt64) { self.value = value & 0xffff_ffff_ffff }

    /// Six bytes of two hex digits, with colons or, throughout, dashes between them.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 17, bytes[2] == UInt8(ascii: ":") || bytes[2] == UInt8(ascii: "-") else {
            return nil
        }
        var value: UInt64 = 0
        for (i, byte) in bytes.enumerated() {
            if i % 3 == 2 {
                guard byte == bytes[2] else { return nil }
            } else {
                guard let digit = hexDigit(byte) else { return nil }
                value = value << 4 | UInt64(digit)
            }
        }
        self.value = value
    }

    /// nil unless there are six.
    package init?(bytes: [UInt8]) {
        guard bytes.count == 6 else { return nil }
        var value: UInt64 = 0
        for byte in bytes { value = value << 8 | UInt64(byte) }
        self.value = value
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for shift in stride(from: UInt64(40), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
        return bytes
    }

    /// Of a group, or of all: no interface has it.
    package var isMulticast: Bool { value >> 40 & 1 == 1 }

    package var isZero: Bool { value == 0 }
}

extension MACAddress: CustomStringConvertible {
    package var description: String {
        var text = ""
        for byte in bytes {
            if !text.isEmpty { text += ":" }
            if byte < 16 { text += "0" }
            text += String(byte, radix: 16)
        }
        return text
    }
}
