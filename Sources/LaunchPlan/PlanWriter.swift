/// Little-endian bytes, strings with a length before them.
struct PlanWriter {
    private(set) var bytes: [UInt8] = []

    mutating func number<N: FixedWidthInteger>(_ value: N) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func flag(_ value: Bool) { number(UInt8(value ? 1 : 0)) }

    mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { utf8 in
            number(UInt32(utf8.count))
            bytes.append(contentsOf: utf8)
        }
    }

    mutating func data(_ value: [UInt8]) {
        number(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func list<T>(_ values: [T], _ write: (inout PlanWriter, T) -> Void) {
        number(UInt32(values.count))
        for value in values { write(&self, value) }
    }

    mutating func align() {
        while bytes.count % 8 != 0 { bytes.append(0) }
    }

    mutating func set<N: FixedWidthInteger>(_ value: N, at offset: Int) {
        withUnsafeBytes(of: value.littleEndian) {
            bytes.replaceSubrange(offset..<offset + $0.count, with: $0)
        }
    }

    /// One step as the executor reads it: op, size, counts, numbers, offsets of the strings, the strings with a NUL.
    mutating func step(_ step: EncodedStep) {
        let start = bytes.count
        number(step.code.rawValue)
        number(UInt32(0))
        number(UInt32(step.arguments.count))
        number(UInt32(step.strings.count))
        for argument in step.arguments { number(argument) }
        let offsets = bytes.count
        for _ in step.strings { number(UInt32(0)) }
        for (i, string) in step.strings.enumerated() {
            set(UInt32(bytes.count - start), at: offsets + 4 * i)
            // A NUL inside would end the string early for the executor and go unnoticed: it ends here for everyone.
            bytes.append(contentsOf: string.utf8.prefix { $0 != 0 })
            bytes.append(0)
        }
        align()
        set(UInt32(bytes.count - start), at: start + 4)
    }
}
