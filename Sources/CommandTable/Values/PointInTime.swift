internal import CivilTime
package import Failure

/// A point in time as `--since` and `--until` take it.
package enum PointInTime {
    private static let secondInNanoseconds: Int64 = 1_000_000_000

    /// Nanoseconds since 1970 of an RFC 3339 time (date alone, minutes or seconds left out, fraction, zone or none), of
    /// seconds since 1970 with an optional fraction, or of a duration that is counted back from now.
    ///
    /// - Parameters:
    ///   - now: nanoseconds since 1970.
    ///   - zoneOffset: seconds east of Greenwich that hold for a time without a zone.
    package static func nanoseconds(
        _ text: String, now: Int64, zoneOffset: Int64 = 0
    ) throws(Failure) -> Int64 {
        if let seconds = unixSeconds(text) { return seconds }
        if let span = TimeSpan.read(text) {
            let (value, over) = now.subtractingReportingOverflow(span)
            if !over { return value }
        }
        if let time = calendarTime(text, zoneOffset: zoneOffset) { return time }
        throw Failure(
            .invalidArgument,
            "not a time such as 2026-01-31T08:30:00Z, 1769848200 (seconds since 1970) or 10m (ago)")
    }

    private static func unixSeconds(_ text: String) -> Int64? {
        var body = text[...].utf8
        let negative = body.first == UInt8(ascii: "-")
        if negative { body = body.dropFirst() }
        guard let first = body.first, (0x30...0x39).contains(first),
            let scaled = Digits.scaled(body, by: secondInNanoseconds)
        else { return nil }
        return negative ? -scaled.value : scaled.value
    }

    private static func calendarTime(_ text: String, zoneOffset: Int64) -> Int64? {
        var reader = Reader(rest: text[...].utf8)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), (1...12).contains(month),
            (1...daysIn(month, of: year)).contains(day)
        else { return nil }
        var hour: Int64 = 0
        var minute: Int64 = 0
        var second: Int64 = 0
        var fraction: Int64 = 0
        if reader.take("T") || reader.take("t") || reader.take(" ") {
            guard let h = reader.number(2), h < 24, reader.take(":"), let m = reader.number(2), m < 60 else {
                return nil
            }
            (hour, minute) = (h, m)
            if reader.take(":") {
                guard let s = reader.number(2), s < 60 else { return nil }
                second = s
                if reader.take(".") {
                    guard let f = reader.fraction() else { return nil }
                    fraction = f
                }
            }
        }
        var offset = zoneOffset
        if reader.take("Z") || reader.take("z") {
            offset = 0
        } else if let sign = reader.sign() {
            guard let h = reader.number(2), h < 24, reader.take(":"), let m = reader.number(2), m < 60 else {
                return nil
            }
            offset = sign * (h * 3600 + m * 60)
        }
        guard reader.rest.isEmpty else { return nil }
        let civil = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        let seconds = civil.secondsSinceEpoch - offset
        let (value, over) = seconds.multipliedReportingOverflow(by: secondInNanoseconds)
        let (sum, more) = value.addingReportingOverflow(fraction)
        return over || more ? nil : sum
    }

    private static func daysIn(_ month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private struct Reader {
        var rest: Substring.UTF8View

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard let first = rest.first, UInt32(first) == character.value else { return false }
            rest = rest.dropFirst()
            return true
        }

        mutating func number(_ length: Int) -> Int64? {
            let digits = rest.prefix(length)
            guard digits.count == length, let value = Digits.unsigned(digits) else { return nil }
            rest = rest.dropFirst(length)
            return value
        }

        mutating func sign() -> Int64? { take("+") ? 1 : take("-") ? -1 : nil }

        /// The digits after the point, in nanoseconds.
        mutating func fraction() -> Int64? {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty, digits.count <= 9, var value = Digits.unsigned(digits) else { return nil }
            for _ in digits.count..<9 { value *= 10 }
            rest = rest[digits.endIndex...]
            return value
        }
    }
}
