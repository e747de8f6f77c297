import Testing

@testable import BuildScreen

@Suite struct LogTests {
    private let second: Int64 = 1_000_000_000

    @Test func plainIsBuildKits() {
        var log = PlainLog(filters: false)
        var text = log.began(1, "[a 1/1] RUN x", at: 0)
        text += log.wrote(1, Array("one\nhal".utf8), at: 123_000_000)
        text += log.began(2, "[b 1/1] RUN y", at: second)
        text += log.told(2, "pulling y")
        text += log.wrote(1, Array("f\n".utf8), at: 2 * second)
        text += log.ended(1, .done, at: 2 * second)
        text += log.wrote(2, Array("rest".utf8), at: 2 * second)
        text += log.ended(2, .failed("exit code: 1"), at: 3 * second)
        text += log.began(3, "z", at: 3 * second)
        text += log.ended(3, .cached, at: 3 * second)
        #expect(
            text == """
                #1 [a 1/1] RUN x
                #1 0.123 one
                #1 ...

                #2 [b 1/1] RUN y
                #2 pulling y
                #2 ...

                #1 [a 1/1] RUN x
                #1 2.000 half
                #1 DONE 2.0s

                #2 [b 1/1] RUN y
                #2 2.000 rest
                #2 ERROR: exit code: 1

                #3 z
                #3 CACHED

                """)
    }

    @Test func onlyATerminalIsProtected() {
        for filters in [true, false] {
            var log = PlainLog(filters: filters)
            _ = log.began(1, "n", at: 0)
            let text = log.wrote(1, Array("\u{1b}[31mred\r\n".utf8), at: 0)
            #expect(text == (filters ? "#1 0.000 red\n" : "#1 0.000 \u{1b}[31mred\n"))
        }
    }

    @Test func aFailedStepEndsWithItsLastLines() {
        var failed = FailedSteps(filters: true)
        failed.began(1, "[2/3] RUN false", at: 0)
        failed.began(2, "[other] RUN true", at: 0)
        failed.wrote(1, Array((1...30).map { "\($0)\n" }.joined().utf8), at: second)
        failed.wrote(1, Array("last".utf8), at: second)
        failed.ended(2, .done, at: second)
        failed.ended(1, .failed("exit code: 1"), at: second)
        let lines = failed.text.split(separator: "\n")
        #expect(lines.count == 3 + 20)
        #expect(lines.prefix(3) == ["------", " > [2/3] RUN false:", "1.000 12"])
        #expect(lines.suffix(2) == ["1.000 last", "------"])
    }

    @Test func eventsAreJSONLines() {
        var log = EventLog()
        let text =
            log.began(3, "RUN \"x\"", time: "T") + log.wrote(3, Array("a\u{1b}\nb".utf8), time: "T")
            + log.told(3, "t", time: "T") + log.ended(3, .failed("no"), time: "T")
            + log.warned("w", time: "T")
        #expect(
            text == #"""
                {"step":3,"name":"RUN \"x\"","event":"began","time":"T"}
                {"step":3,"name":"RUN \"x\"","event":"log","time":"T","data":"a\u001b"}
                {"step":3,"name":"RUN \"x\"","event":"told","time":"T","data":"t"}
                {"step":3,"name":"RUN \"x\"","event":"log","time":"T","data":"b"}
                {"step":3,"name":"RUN \"x\"","event":"failed","time":"T","data":"no"}
                {"step":0,"name":"","event":"warned","time":"T","data":"w"}

                """#)
    }
}
