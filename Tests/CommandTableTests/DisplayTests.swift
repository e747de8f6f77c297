import CommandTable
import Testing

@Suite struct DisplayTests {
    @Test(
        arguments: [
            (0, "0B"), (999, "999B"), (1000, "1kB"), (1234, "1.23kB"), (77_812_345, "77.8MB"),
            (999_900, "1MB"), (999_400, "999kB"),
            (1_005_000_000, "1GB"), (1_500_000_000, "1.5GB"), (123_456, "123kB"), (10_050_000, "10.1MB"),
            (1125, "1.12kB"), (-1500, "-1.5kB"),
            (Int64.max, "9.22EB"),
        ] as [(Int64, String)])
    func `sizes have three digits`(_ bytes: Int64, _ text: String) {
        // 10.05 is a little more than its decimal notation says.
        #expect(HumanSize.decimal(bytes) == text)
    }

    @Test func `sizes of four digits and of powers of 1024`() {
        #expect(HumanSize.decimal(1_234_567, digits: 4) == "1.235MB")
        #expect(HumanSize.decimal(12_000_000, digits: 4) == "12MB")
        #expect(HumanSize.binary(256 << 20) == "256MiB")
        #expect(HumanSize.binary(16_584_978_432) == "15.45GiB")
        #expect(HumanSize.binary(1023) == "1023B")
    }

    @Test(
        arguments: [
            (0, "Less than a second"), (1, "1 second"), (59, "59 seconds"), (60, "About a minute"),
            (119, "About a minute"),
            (120, "2 minutes"), (3599, "59 minutes"), (3600, "About an hour"), (5399, "About an hour"),
            (5400, "2 hours"),
            (47 * 3600, "47 hours"), (48 * 3600, "2 days"), (13 * 86400, "13 days"), (14 * 86400, "2 weeks"),
            (59 * 86400, "8 weeks"),
            (60 * 86400, "2 months"), (729 * 86400, "24 months"), (730 * 86400, "2 years"),
            (-5, "Less than a second"),
        ] as [(Int64, String)])
    func `lengths of time in docker's words`(_ seconds: Int64, _ text: String) {
        #expect(HumanDuration.text(nanoseconds: seconds * 1_000_000_000) == text)
    }

    @Test func `a time in the past`() {
        #expect(HumanDuration.ago(from: 0, to: 7_200_000_000_000) == "2 hours ago")
    }

    @Test func `columns are padded by three, at least ten wide, the last not at all`() {
        var table = TextTable(header: ["CONTAINER ID", "IMAGE", "NAMES"])
        table.append(["0123456789ab", "redis:7", "cache"])
        table.append(line: "é\t\tx")
        #expect(
            table.text == """
                CONTAINER ID   IMAGE     NAMES
                0123456789ab   redis:7   cache
                é                        x

                """)
    }
}
