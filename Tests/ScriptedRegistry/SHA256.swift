package import OCI

/// FIPS 180-4, for tests that may not know the product's own: what checks must not be what is checked.
package enum SHA256 {
    private static let constants: [UInt32] = {
        // The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
        var primes: [UInt32] = []
        var candidate: UInt32 = 2
        while primes.count < 64 {
            if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes.map { prime in
            // Bits of the cube root by trial, in integers: floating point has too few of them.
            var root: UInt64 = 0
            for bit in stride(from: UInt64(35), through: 0, by: -1) {
                let trial = root | 1 << bit
                let cube = trial.multipliedFullWidth(by: trial)
                // root < 2^36, so its square fits 72 bits; compare root^3 with prime * 2^96.
                let (high, low) = (cube.high, cube.low)
                let lowProduct = low.multipliedFullWidth(by: trial)
                let top = high * trial + lowProduct.high
                if top < UInt64(prime) << 32 { root = trial }
            }
            return UInt32(truncatingIfNeeded: root)
        }
    }()

    package static func digest(_ bytes: [UInt8]) -> Digest {
        var state: [UInt32] = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
            0x5be0_cd19,
        ]
        var message = bytes
        message.append(0x80)
        while message.count % 64 != 56 { message.append(0) }
        let bits = UInt64(bytes.count) * 8
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            message.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
        var words = [UInt32](repeating: 0, count: 64)
        let constants = constants
        message.withUnsafeBufferPointer { message in
            for block in stride(from: 0, to: message.count, by: 64) {
                for index in 0..<16 {
                    let at = block + index * 4
                    words[index] =
                        UInt32(message[at]) << 24 | UInt32(message[at + 1]) << 16 | UInt32(message[at + 2])
                        << 8
                        | UInt32(message[at + 3])
                }
                for index in 16..<64 {
                    let (a, b) = (words[index - 15], words[index - 2])
                    let s0 = rotated(a, 7) ^ rotated(a, 18) ^ (a >> 3)
                    let s1 = rotated(b, 17) ^ rotated(b, 19) ^ (b >> 10)
                    words[index] = words[index - 16] &+ s0 &+ words[index - 7] &+ s1
                }
                var (a, b, c, d) = (state[0], state[1], state[2], state[3])
                var (e, f, g, h) = (state[4], state[5], state[6], state[7])
                for index in 0..<64 {
                    let s1 = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
                    let choice = (e & f) ^ (~e & g)
                    let first = h &+ s1 &+ choice &+ constants[index] &+ words[index]
                    let s0 = rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)
                    let majority = (a & b) ^ (a & c) ^ (b & c)
                    (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ s0 &+ majority)
                }
                for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
            }
        }
        let hex = state.map { word in
            let text = String(word, radix: 16)
            return String(repeating: "0", count: 8 - text.count) + text
        }.joined()
        guard let digest = try? Digest(algorithm: .sha256, hex: hex) else {
            fatalError("64 hex digits are a digest")
        }
        return digest
    }

    private static func rotated(_ word: UInt32, _ by: UInt32) -> UInt32 { word >> by | word << (32 - by) }
}
