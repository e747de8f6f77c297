/// How long to wait before the next run: 100 ms, doubled each time up to a minute, and from the start again after a run
/// of 10 s; docker's numbers.
struct BackOff {
    private static let first: Int64 = 100
    private static let longest: Int64 = 60_000
    private static let settled: Int64 = 10_000_000_000

    private var milliseconds: Int64 = 0

    mutating func next(afterRunOf nanoseconds: Int64) -> Int32 {
        milliseconds =
            nanoseconds >= BackOff.settled || milliseconds == 0
            ? BackOff.first : min(milliseconds * 2, BackOff.longest)
        return Int32(milliseconds)
    }
}
