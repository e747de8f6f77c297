internal import CISAL
internal import Failure

/// RFC 1952: members one after another, each with its checksum and length verified. ISA-L inflates and verifies;
/// the header is read here, because ISA-L's own reader loses its way in optional fields that arrive in pieces.
final class Gunzip {
    // 80 KiB: too large for the stack of a value.
    private let state = UnsafeMutablePointer<inflate_state>.allocate(capacity: 1)
    private var phase = Phase.header
    private var header = GzipHeader()
    /// A member has ended and no byte of another has come.
    private(set) var isAtEnd = false

    private enum Phase { case header, body }

    init() {
        _ = UnsafeMutableRawPointer(state).initializeMemory(
            as: UInt8.self, repeating: 0, count: MemoryLayout<inflate_state>.size)
        isal_inflate_init(state)
    }

    deinit { state.deallocate() }

    func step(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) throws(Failure)
        -> (consumed: Int, produced: Int)
    {
        let inputSize = min(input.count, 1 << 30)
        var taken = 0
        var given = 0
        while true {
            if phase == .header {
                while taken < inputSize {
                    isAtEnd = false
                    let ended = try header.take(input[taken])
                    taken += 1
                    if ended {
                        isal_inflate_reset(state)
                        state.pointee.crc_flag = UInt32(ISAL_GZIP_NO_HDR_VER)
                        phase = .body
                        break
                    }
                }
                if phase == .header { return (taken, given) }
            }
            let (consumed, produced) = try inflate(
                UnsafeRawBufferPointer(rebasing: input[taken..<inputSize]),
                into: UnsafeMutableRawBufferPointer(rebasing: output[given...]))
            taken += consumed
            given += produced
            if state.pointee.block_state == ISAL_BLOCK_FINISH {
                phase = .header
                header = GzipHeader()
                isAtEnd = true
            } else if given == output.count || (consumed == 0 && produced == 0) {
                return (taken, given)
            }
        }
    }

    private func inflate(_ input: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer)
        throws(Failure) -> (consumed: Int, produced: Int)
    {
        let outputSize = min(output.count, 1 << 30)
        state.pointee.next_in = UnsafeMutableRawPointer(mutating: input.baseAddress)?.assumingMemoryBound(
            to: UInt8.self)
        state.pointee.avail_in = UInt32(input.count)
        state.pointee.next_out = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        state.pointee.avail_out = UInt32(outputSize)
        let answer = isal_inflate(state)
        guard answer >= ISAL_DECOMP_OK, answer != ISAL_NEED_DICT else {
            let why = answer == ISAL_INCORRECT_CHECKSUM ? "wrong checksum" : "invalid deflate data"
            throw Failure(.dataLoss, "gzip stream is damaged: \(why)")
        }
        return (input.count - Int(state.pointee.avail_in), outputSize - Int(state.pointee.avail_out))
    }
}

/// RFC 1952 2.3, byte by byte.
private struct GzipHeader {
    private var position = 0
    private var flags: UInt8 = 0
    private var extraLength = 0
    private var field = Field.fixed

    private enum Field { case fixed, extraLength, extra, name, comment, checksum }

    /// Answers whether this was the header's last byte.
    mutating func take(_ byte: UInt8) throws(Failure) -> Bool {
        switch field {
        case .fixed:
            let fits =
                switch position {
                case 0: byte == 0x1f
                case 1: byte == 0x8b
                case 2: byte == 8
                case 3: byte & 0xe0 == 0
                default: true
                }
            guard fits else {
                throw Failure(.dataLoss, "gzip stream is damaged: bytes that begin no member")
            }
            if position == 3 { flags = byte }
            position += 1
            return position == 10 ? next(after: .fixed) : false
        case .extraLength:
            extraLength |= Int(byte) << (8 * position)
            position += 1
            if position < 2 { return false }
            if extraLength == 0 { return next(after: .extra) }
            enter(.extra)
            return false
        case .extra:
            position += 1
            return position == extraLength ? next(after: .extra) : false
        case .name: return byte == 0 ? next(after: .name) : false
        case .comment: return byte == 0 ? next(after: .comment) : false
        case .checksum:
            position += 1
            return position == 2
        }
    }

    private mutating func enter(_ field: Field) {
        self.field = field
        position = 0
    }

    private mutating func next(after done: Field) -> Bool {
        let order: [(Field, UInt8, Field)] = [
            (.fixed, 4, .extraLength), (.extra, 8, .name), (.name, 16, .comment), (.comment, 2, .checksum),
        ]
        var passed = false
        for (before, flag, following) in order {
            if before == done { passed = true }
            if passed, flags & flag != 0 {
                enter(following)
                return false
            }
        }
        return true
    }
}
