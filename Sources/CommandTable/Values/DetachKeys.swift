package import Failure

/// The keys that leave a container's terminal: `ctrl-p,ctrl-q`.
package enum DetachKeys {
    /// ctrl-p, ctrl-q.
    package static let standard: [UInt8] = [16, 17]

    /// The bytes that a terminal sends for them. An empty text is no keys at all: the terminal cannot be left.
    package static func parse(_ text: String) throws(Failure) -> [UInt8] {
        guard !text.isEmpty else { return [] }
        var keys: [UInt8] = []
        for key in text.split(separator: ",", omittingEmptySubsequences: false) {
            let bytes = Array(key.utf8)
            if bytes.count == 1, bytes[0] < 0x80 {
                keys.append(bytes[0])
            } else if bytes.starts(with: "ctrl-".utf8), bytes.count == 6, let code = control(bytes[5]) {
                keys.append(code)
            } else {
                throw Failure(
                    .invalidArgument,
                    "\"\(key)\" is neither one character nor ctrl- with a-z, @, [, \\, ], ^ or _")
            }
        }
        return keys
    }

    private static func control(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "a")...UInt8(ascii: "z"): letter - UInt8(ascii: "a") + 1
        case UInt8(ascii: "@"): 0
        case UInt8(ascii: "["): 27
        case UInt8(ascii: "\\"): 28
        case UInt8(ascii: "]"): 29
        case UInt8(ascii: "^"): 30
        case UInt8(ascii: "_"): 31
        default: nil
        }
    }
}
