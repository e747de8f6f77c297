/// A path as the kernel takes it. `String` for our own names; `RawPath` for names from an image or a container,
/// which need not be UTF-8 and must come back byte for byte.
package protocol SystemPath: Sendable {
    func withCPath<R>(_ body: (UnsafePointer<CChar>) -> R) -> R
    /// For messages only.
    var shown: String { get }
}

extension String: SystemPath {
    package func withCPath<R>(_ body: (UnsafePointer<CChar>) -> R) -> R { withCString(body) }
    package var shown: String { self }
}

/// Bytes without NUL.
package struct RawPath: SystemPath, Hashable {
    package var bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(_ text: String) { bytes = Array(text.utf8) }

    package func withCPath<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: bytes.count + 1) { buffer in
            for (i, byte) in bytes.enumerated() { buffer[i] = CChar(bitPattern: byte) }
            buffer[bytes.count] = 0
            guard let base = buffer.baseAddress else { preconditionFailure("an allocation has an address") }
            return body(base)
        }
    }

    /// Control characters and bytes that are not UTF-8 do not reach a terminal.
    package var shown: String {
        var text = ""
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar.value < 0x20 || scalar.value == 0x7f {
                text += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}
