/// Times as docker prints them, in UTC.
enum TimeText {
    /// RFC 3339 with nanoseconds, as `inspect` has it; the zero time where it never was.
    static func rfc3339(_ nanoseconds: Int64) -> String {
        if nanoseconds == 0 { return "0001-01-01T00:00:00Z" }
        let (date, clock) = parts(nanoseconds)
        let fraction = nanoseconds - floor(nanoseconds) * 1_000_000_000
        if fraction == 0 { return "\(date)T\(clock)Z" }
        var digits = String(fraction)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(date)T\(clock).\(digits)Z"
    }

    static func utc(_ nanoseconds: Int64) -> String {
        let (date, clock) = parts(nanoseconds)
        return "\(date)T\(clock)Z"
    }

    /// `2026-11-22 19:03:11 +0000 UTC`
    static func local(_ nanoseconds: Int64) -> String {
        let (date, clock) = parts(nanoseconds)
        return "\(date) \(clock) +0000 UTC"
    }

    private static func floor(_ nanoseconds: Int64) -> Int64 {
        nanoseconds >= 0 ? nanoseconds / 1_000_000_000 : -((-nanoseconds + 999_999_999) / 1_000_000_000)
    }

    private static func parts(_ nanoseconds: Int64) -> (date: String, clock: String) {
        let seconds = floor(nanoseconds)
        let day = seconds >= 0 ? seconds / 86400 : -((-seconds + 86399) / 86400)
        let rest = seconds - day * 86400
        // Civil date from days since 1970: years begin in March, so that the leap day is the last.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let dayOfMonth = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (
            "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))",
            "\(padded(rest / 3600, 2)):\(padded(rest / 60 % 60, 2)):\(padded(rest % 60, 2))"
        )
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
