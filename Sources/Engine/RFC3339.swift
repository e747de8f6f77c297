internal import CivilTime
package import LinuxSystem

/// The times of image configs and records.
package enum RFC3339 {
    /// nil where the text is no such time.
    package static func nanoseconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        func number(_ range: Range<Int>) -> Int64? {
            guard range.upperBound <= bytes.count else { return nil }
            return Int64(String(decoding: bytes[range], as: UTF8.self))
        }
        guard bytes.count >= 20, let year = number(0..<4), let month = number(5..<7),
            let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19)
        else { return nil }
        var at = 19
        var fraction: Int64 = 0
        if bytes[at] == UInt8(ascii: ".") {
            at += 1
            var scale: Int64 = 100_000_000
            while at < bytes.count, (0x30...0x39).contains(bytes[at]) {
                fraction += Int64(bytes[at] - 0x30) * scale
                scale /= 10
                at += 1
            }
        }
        guard at < bytes.count else { return nil }
        var offset: Int64 = 0
        if bytes[at] != UInt8(ascii: "Z") {
            guard let hours = number(at + 1..<at + 3), let minutes = number(at + 4..<at + 6) else {
                return nil
            }
            offset = (hours * 3600 + minutes * 60) * (bytes[at] == UInt8(ascii: "-") ? -1 : 1)
        }
        let civil = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        let seconds = civil.secondsSinceEpoch - offset
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? nil : product + fraction
    }
}

extension RFC3339 {
    /// In UTC, to the nanosecond, without trailing zeros: `2026-03-01T09:30:00.25Z`.
    package static func text(_ time: Timestamp) -> String {
        let civil = CivilTime(secondsSinceEpoch: time.seconds)
        var fraction = CivilTime.padded(Int64(time.nanoseconds), 9)[...]
        while fraction.last == "0" { fraction = fraction.dropLast() }
        return "\(civil.date)T\(civil.clock)\(fraction.isEmpty ? "" : ".")\(fraction)Z"
    }
}
