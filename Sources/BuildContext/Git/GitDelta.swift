internal import Failure

/// A delta of a pack: what to copy from the base and what to insert.
struct GitDelta {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func applied(to base: [UInt8], longest: Int) throws(Failure) -> [UInt8] {
        let damaged = Failure(.dataLoss, "a pack is damaged: a delta that does not fit")
        var at = 0
        guard let baseSize = size(&at), baseSize == base.count, let resultSize = size(&at),
            resultSize <= longest
        else { throw damaged }
        var result: [UInt8] = []
        result.reserveCapacity(resultSize)
        while at < bytes.count {
            let operation = bytes[at]
            at += 1
            if operation & 0x80 == 0 {
                let count = Int(operation)
                guard count > 0, at + count <= bytes.count, result.count + count <= resultSize else {
                    throw damaged
                }
                result += bytes[at..<(at + count)]
                at += count
                continue
            }
            // Of four bytes of an offset and three of a size those are there whose bit is set.
            var fields = [0, 0]
            for bit in 0..<7 where operation & 1 << UInt8(bit) != 0 {
                guard at < bytes.count else { throw damaged }
                let (field, shift) = bit < 4 ? (0, bit * 8) : (1, (bit - 4) * 8)
                fields[field] |= Int(bytes[at]) << shift
                at += 1
            }
            let (offset, count) = (fields[0], fields[1] == 0 ? 0x10000 : fields[1])
            guard offset + count <= base.count, result.count + count <= resultSize else { throw damaged }
            result += base[offset..<(offset + count)]
        }
        guard result.count == resultSize else { throw damaged }
        return result
    }

    private func size(_ at: inout Int) -> Int? {
        var (value, shift) = (0, 0)
        while at < bytes.count, shift < 56 {
            let byte = bytes[at]
            at += 1
            value |= Int(byte & 0x7f) << shift
            shift += 7
            if byte & 0x80 == 0 { return value }
        }
        return nil
    }
}
