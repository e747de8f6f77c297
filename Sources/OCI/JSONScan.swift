/// A pass over JSON's brackets and strings only: what must be known before a recursive parser gets the bytes.
/// It judges no grammar; the decoder does.
enum JSONScan {
    /// How deep lists and objects nest; stops counting one above `limit`.
    static func depth(of bytes: [UInt8], limit: Int) -> Int {
        var depth = 0
        var deepest = 0
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                deepest = max(deepest, depth)
                if deepest > limit { return deepest }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
            case UInt8(ascii: "\""):
                index = endOfString(bytes, from: index)
            default:
                break
            }
            index += 1
        }
        return deepest
    }

    /// The raw keys (quotes and escapes as written) of the outermost object.
    static func topLevelKeys(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var keys: [ArraySlice<UInt8>] = []
        var depth = 0
        var expectsKey = false
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                expectsKey = depth == 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                expectsKey = false
            case UInt8(ascii: ","):
                expectsKey = depth == 1
            case UInt8(ascii: "\""):
                let end = endOfString(bytes, from: index)
                if expectsKey, depth == 1, end < bytes.count { keys.append(bytes[index...end]) }
                expectsKey = false
                index = end
            default:
                break
            }
            index += 1
        }
        return keys
    }

    /// The index of the closing quote, or the end where there is none.
    static func endOfString(_ bytes: [UInt8], from start: Int) -> Int {
        var index = start + 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "\""): return index
            default: index += 1
            }
        }
        return bytes.count
    }
}
