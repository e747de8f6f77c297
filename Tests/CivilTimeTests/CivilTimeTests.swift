import CivilTime
import Testing

@Suite struct CivilTimeTests {
    @Test(arguments: [
        (0, "1970-01-01", "00:00:00"), (-1, "1969-12-31", "23:59:59"),
        (951_782_400, "2000-02-29", "00:00:00"),
        (951_868_799, "2000-02-29", "23:59:59"), (1_709_164_800, "2024-02-29", "00:00:00"),
        (4_107_542_400, "2100-03-01", "00:00:00"), (-62_135_596_800, "0001-01-01", "00:00:00"),
        (253_402_300_799, "9999-12-31", "23:59:59"), (784_111_777, "1994-11-06", "08:49:37"),
    ])
    func known(_ seconds: Int64, _ date: String, _ clock: String) {
        let time = CivilTime(secondsSinceEpoch: seconds)
        #expect(time.date == date && time.clock == clock)
        #expect(time.secondsSinceEpoch == seconds)
    }

    /// Each day of 900 years follows the one before it, and leads back.
    @Test func everyDay() {
        var before = CivilTime(year: 1599, month: 12, day: 31)
        for day in (before.secondsSinceEpoch / 86_400 + 1)...(before.secondsSinceEpoch / 86_400 + 330_000) {
            let time = CivilTime(secondsSinceEpoch: day * 86_400)
            let isLeap = before.year % 4 == 0 && (before.year % 100 != 0 || before.year % 400 == 0)
            let last = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][Int(before.month) - 1]
            let next =
                before.day < last
                ? CivilTime(year: before.year, month: before.month, day: before.day + 1)
                : before.month < 12
                    ? CivilTime(year: before.year, month: before.month + 1, day: 1)
                    : CivilTime(year: before.year + 1, month: 1, day: 1)
            guard time == next, time.secondsSinceEpoch == day * 86_400 else {
                Issue.record("\(before.date) is followed by \(time.date)")
                return
            }
            before = time
        }
    }
}
