package import Failure

/// A length of time in Go's notation: `1h30m`, `1.5s`, `300ms`, `-5m`.
package enum TimeSpan {
    /// Nanoseconds. A bare number is refused, except 0.
    package static func nanoseconds(_ text: String) throws(Failure) -> Int64 {
        guard let value = read(text) else {
            throw Failure(.invalidArgument, "not a duration such as 90s, 10m or 1h30m")
        }
        return value
    }

    /// Nanoseconds of a duration in Go's notation, or of a whole number of seconds.
    package static func nanosecondsOrSeconds(_ text: String) throws(Failure) -> Int64 {
        if let seconds = Digits.unsigned(text.utf8) {
            let (value, over) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
            guard !over else { throw Failure(.invalidArgument, "longer than 292 years") }
            return value
        }
        return try nanoseconds(text)
    }

    static func read(_ text: String) -> Int64? {
        var rest = text[...].utf8
        var negative = false
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            negative = sign == UInt8(ascii: "-")
            rest = rest.dropFirst()
        }
        guard !rest.isEmpty else { return nil }
        if rest.elementsEqual("0".utf8) { return 0 }
        var total: Int64 = 0
        while !rest.isEmpty {
            let number = rest.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
            rest = rest[number.endIndex...]
            let name = rest.prefix { !((0x30...0x39).contains($0) || $0 == UInt8(ascii: ".")) }
            rest = rest[name.endIndex...]
            guard let unit = unit(Substring(name)), let part = Digits.scaled(number, by: unit) else {
                return nil
            }
            let (sum, over) = total.addingReportingOverflow(part.value)
            guard !over else { return nil }
            total = sum
        }
        return negative ? -total : total
    }

    private static func unit(_ name: Substring) -> Int64? {
        switch name {
        case "ns": 1
        case "us", "\u{b5}s", "\u{3bc}s": 1000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m": 60_000_000_000
        case "h": 3_600_000_000_000
        default: nil
        }
    }
}
