/// Looks for the detach sequence in what is typed. Keys that may be its beginning are held back until it is clear.
struct DetachKeys {
    private let keys: [UInt8]
    private var matched = 0

    /// Empty: none.
    init(_ keys: [UInt8]) { self.keys = keys }

    /// What is to be passed on, and whether the sequence is complete.
    mutating func pass(_ typed: UnsafeRawBufferPointer) -> (passed: [UInt8], isComplete: Bool) {
        guard !keys.isEmpty else { return (Array(typed), false) }
        var passed: [UInt8] = []
        for byte in typed {
            if byte == keys[matched] {
                matched += 1
                if matched == keys.count {
                    matched = 0
                    return (passed, true)
                }
                continue
            }
            passed += keys[..<matched]
            matched = byte == keys[0] ? 1 : 0
            if matched == 0 { passed.append(byte) }
        }
        return (passed, false)
    }
}
