internal import Failure

/// Reads what PlanWriter wrote, from bytes that may be anybody's: every length is checked before it is used.
struct PlanReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var offset: Int

    init(_ bytes: UnsafeRawBufferPointer, at offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    static let damaged = Failure(.dataLoss, "the launch plan is damaged")

    private mutating func take(_ count: Int) throws(Failure) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= bytes.count - offset else { throw PlanReader.damaged }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + count])
    }

    mutating func number<N: FixedWidthInteger>(_ type: N.Type = N.self) throws(Failure) -> N {
        N(littleEndian: try take(MemoryLayout<N>.size).loadUnaligned(as: N.self))
    }

    mutating func flag() throws(Failure) -> Bool { try number(UInt8.self) != 0 }

    mutating func text() throws(Failure) -> String {
        String(decoding: try take(Int(try number(UInt32.self))), as: UTF8.self)
    }

    mutating func data() throws(Failure) -> [UInt8] { Array(try take(Int(try number(UInt32.self)))) }

    mutating func list<T>(_ read: (inout PlanReader) throws(Failure) -> T) throws(Failure) -> [T] {
        let count = Int(try number(UInt32.self))
        // Each element takes a byte at least: a count beyond that is a lie that must not be allocated for.
        guard count <= bytes.count - offset else { throw PlanReader.damaged }
        var values: [T] = []
        for _ in 0..<count { values.append(try read(&self)) }
        return values
    }

    /// Offset and size of a part of the file, behind the header.
    mutating func range(in size: Int) throws(Failure) -> Range<Int> {
        let start = try number(UInt64.self)
        let length = try number(UInt64.self)
        guard start % 8 == 0, start >= UInt64(PlanFile.headerSize), start <= UInt64(size),
            length <= UInt64(size) - start
        else { throw PlanReader.damaged }
        return Int(start)..<Int(start + length)
    }

    mutating func step() throws(Failure) -> Step {
        let start = offset
        guard let code = StepCode(rawValue: try number()) else { throw PlanReader.damaged }
        let size = Int(try number(UInt32.self))
        let counts = (arguments: Int(try number(UInt32.self)), strings: Int(try number(UInt32.self)))
        guard size >= 16, size % 8 == 0, size <= bytes.count - start,
            16 + 8 * counts.arguments + 4 * counts.strings <= size
        else { throw PlanReader.damaged }
        var step = EncodedStep(code)
        for _ in 0..<counts.arguments { step.arguments.append(try number()) }
        for _ in 0..<counts.strings {
            let at = Int(try number(UInt32.self))
            guard at < size else { throw PlanReader.damaged }
            let rest = bytes[start + at..<start + size]
            guard let end = rest.firstIndex(of: 0) else { throw PlanReader.damaged }
            step.strings.append(String(decoding: rest[..<end], as: UTF8.self))
        }
        offset = start + size
        guard let decoded = Step(step) else { throw PlanReader.damaged }
        return decoded
    }
}
