package import LinuxSystem

extension RFC3339 {
    /// In UTC, to the nanosecond, without trailing zeros: `2026-03-01T09:30:00.25Z`.
    package static func text(_ time: Timestamp) -> String {
        let day = Int64((Double(time.seconds) / 86400).rounded(.down))
        let second = time.seconds - day * 86400
        // A civil date of days since 1970; years begin in March.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let date =
            "\(digits(year, 4))-\(digits(month, 2))-\(digits(dayOfYear - (153 * marchMonth + 2) / 5 + 1, 2))"
        let clock = "\(digits(second / 3600, 2)):\(digits(second / 60 % 60, 2)):\(digits(second % 60, 2))"
        var fraction = digits(Int64(time.nanoseconds), 9)[...]
        while fraction.last == "0" { fraction = fraction.dropLast() }
        return "\(date)T\(clock)\(fraction.isEmpty ? "" : ".")\(fraction)Z"
    }

    private static func digits(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
