extension JSONScan {
    /// A number as written, and where it stands: `layers.0.size`.
    struct Number {
        var path: String
        var range: Range<Int>
    }

    private enum Frame {
        case object(key: String)
        case list(index: Int)
    }

    /// All numbers, in the document's order. Of a document with broken grammar: what looks like numbers.
    static func numbers(of bytes: [UInt8]) -> [Number] {
        var numbers: [Number] = []
        var frames: [Frame] = []
        var expectsKey = false
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "{"):
                frames.append(.object(key: ""))
                expectsKey = true
            case UInt8(ascii: "["):
                frames.append(.list(index: 0))
                expectsKey = false
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = frames.popLast()
                expectsKey = false
            case UInt8(ascii: ","):
                switch frames.popLast() {
                case .list(let position): frames.append(.list(index: position + 1))
                case .object(let key):
                    frames.append(.object(key: key))
                    expectsKey = true
                case nil: break
                }
            case UInt8(ascii: "\""):
                let end = endOfString(bytes, from: index)
                if expectsKey, case .object = frames.popLast() {
                    let key = String(decoding: bytes[min(index + 1, end)..<end], as: UTF8.self)
                    frames.append(.object(key: key))
                }
                expectsKey = false
                index = end
            case UInt8(ascii: "-"), 0x30...0x39:
                let end = bytes[index...].firstIndex { !isNumberByte($0) } ?? bytes.count
                numbers.append(Number(path: path(frames), range: index..<end))
                index = end - 1
            default:
                break
            }
            index += 1
        }
        return numbers
    }

    /// The document with these numbers replaced by 0.
    static func zeroing(_ numbers: ArraySlice<Number>, in bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var position = 0
        for number in numbers {
            result += bytes[position..<number.range.lowerBound]
            result.append(UInt8(ascii: "0"))
            position = number.range.upperBound
        }
        return result + bytes[position...]
    }

    private static func path(_ frames: [Frame]) -> String {
        frames.map { frame in
            switch frame {
            case .object(let key): key.onOneLine(limit: 80)
            case .list(let index): String(index)
            }
        }.joined(separator: ".")
    }

    private static func isNumberByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }
}
