import Testing

@testable import BuildScreen

@Suite struct BuildPictureTests {
    private let second: Int64 = 1_000_000_000
    private func size(_ rows: Int, _ columns: Int) -> ScreenSize { ScreenSize(rows: rows, columns: columns) }

    @Test func looksLikeBuildKits() {
        var picture = BuildPicture(at: 0)
        picture.began(1, "[base 1/2] FROM scratch", at: 0)
        picture.ended(1, .cached, at: 0)
        picture.began(2, "[base 2/2] RUN make", at: second)
        picture.wrote(2, Array("one\ntwo\nthr".utf8), at: second)
        picture.began(3, "[docs 1/1] RUN false", at: second)
        picture.told(3, "pulling x")
        picture.ended(3, .failed("exit code: 1"), at: 2 * second)
        #expect(
            picture.lines(size(24, 40), at: 3 * second + 250_000_000).map(\.text) == [
                "[+] Building 3.2s (2/3)",
                " => CACHED [base 1/2] FROM scratch  0.0s",
                " => [base 2/2] RUN make             2.2s",
                " => => # one",
                " => => # two",
                " => => # thr",
                " => ERROR [docs 1/1] RUN false      1.0s",
                " => => pulling x",
            ])
        picture.ended(2, .canceled, at: 4 * second)
        #expect(
            picture.lastLines(size(24, 40), at: 4 * second, isFinished: false).map(\.text) == [
                "[+] Building 4.0s (3/3)",
                " => CACHED [base 1/2] FROM scratch  0.0s",
                " => CANCELED [base 2/2] RUN make    3.0s",
                " => ERROR [docs 1/1] RUN false      1.0s",
                " => => pulling x",
            ])
    }

    @Test func theLastSixLinesOfWhatRuns() {
        var picture = BuildPicture(at: 0)
        picture.began(1, "RUN seq", at: 0)
        picture.wrote(1, Array((1...100).map { "\($0)\n" }.joined().utf8), at: 0)
        let lines = picture.lines(size(24, 80), at: 0).dropFirst(2).map(\.text)
        #expect(lines == (95...100).map { " => => # \($0)" })
    }

    @Test(arguments: [1, 2, 3, 5, 9, 24]) func neverMoreLinesThanTheTerminalHas(_ rows: Int) {
        var picture = BuildPicture(at: 0)
        for step in 1...30 {
            picture.began(step, "step \(step)", at: 0)
            picture.wrote(step, Array("a\nb\nc\n".utf8), at: 0)
            picture.told(step, "told")
            if step <= 20 { picture.ended(step, .done, at: 0) }
            let lines = picture.lines(size(rows, 60), at: 0)
            #expect(lines.count <= max(1, rows - 1))
            #expect(lines.first?.text.hasPrefix("[+] Building") == true)
        }
        // Those at work stay longest.
        let lines = picture.lines(size(12, 60), at: 0).map(\.text)
        #expect(lines.dropFirst().allSatisfy { $0.contains("step 2") || $0.contains("step 30") })
        #expect(lines.count == 11)
    }

    @Test(arguments: [0, 20, 21, 40, 80]) func noLineIsWiderThanTheTerminal(_ columns: Int) {
        var picture = BuildPicture(at: 0)
        let long = String(repeating: "漢x", count: 200)
        picture.began(1, long, at: 0)
        picture.wrote(1, Array("\(long)\n".utf8), at: 0)
        picture.told(1, long)
        let size = size(24, columns)
        #expect(size.columns == (columns == 0 ? 80 : columns))
        for line in picture.lines(size, at: 0) { #expect(TextWidth.of(line.text) <= size.columns) }
    }

    @Test func strangersDoNotDraw() {
        var picture = BuildPicture(at: 0)
        picture.began(1, "RUN \u{1b}[2Jx\nsecond", at: 0)
        picture.told(1, "\u{1b}]0;a\u{7}b")
        picture.wrote(1, Array("\u{1b}[1A\u{1b}[2Khidden".utf8), at: 0)
        let lines = picture.lines(size(24, 40), at: 0).map(\.text)
        #expect(
            lines == [
                "[+] Building 0.0s (0/1)", " => RUN x second                    0.0s", " => => b",
                " => => # hidden",
            ])
    }

    @Test func redrawsInItsPlace() {
        var redraw = Redraw()
        let one = [ScreenLine("a"), ScreenLine("b", .failed)]
        #expect(redraw.text(one, columns: 80, colors: false) == "\r\u{1b}[2Ka\n\r\u{1b}[2Kb\n")
        #expect(
            redraw.text([ScreenLine("c", .failed)], columns: 80, colors: true)
                == "\u{1b}[2A\r\u{1b}[2K\u{1b}[31mc\u{1b}[0m\n\u{1b}[J")
        // A terminal that became narrower has broken the line in two.
        _ = redraw.text([ScreenLine(String(repeating: "x", count: 40))], columns: 40, colors: false)
        #expect(redraw.text([ScreenLine("y")], columns: 20, colors: false).hasPrefix("\u{1b}[2A"))
    }
}
