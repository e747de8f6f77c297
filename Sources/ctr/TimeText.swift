import CivilTime
import Engine
import LinuxSystem

/// Times as docker prints them, in UTC. They come as nanoseconds since 1970.
enum TimeText {
    /// RFC 3339 with nanoseconds, as `inspect` has it; the zero time where it never was.
    static func rfc3339(_ nanoseconds: Int64) -> String {
        nanoseconds == 0
            ? "0001-01-01T00:00:00Z" : RFC3339.text(Timestamp(nanosecondsSinceEpoch: nanoseconds))
    }

    static func utc(_ nanoseconds: Int64) -> String {
        let civil = civil(nanoseconds)
        return "\(civil.date)T\(civil.clock)Z"
    }

    /// `2026-11-22 19:03:11 +0000 UTC`
    static func local(_ nanoseconds: Int64) -> String {
        let civil = civil(nanoseconds)
        return "\(civil.date) \(civil.clock) +0000 UTC"
    }

    private static func civil(_ nanoseconds: Int64) -> CivilTime {
        CivilTime(secondsSinceEpoch: Timestamp(nanosecondsSinceEpoch: nanoseconds).seconds)
    }
}
