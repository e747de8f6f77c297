/// Numbers in bytes, the lowest first.
extension Array where Element == UInt8 {
    package mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }
}

extension ArraySlice where Element == UInt8 {
    /// nil past the end.
    package func littleEndian<T: FixedWidthInteger>(at offset: Int) -> T? {
        let size = T.bitWidth / 8
        guard offset >= 0, offset + size <= count else { return nil }
        var value: T = 0
        for i in (0..<size).reversed() { value = value << 8 | T(self[startIndex + offset + i]) }
        return value
    }
}
