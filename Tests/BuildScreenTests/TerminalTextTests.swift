import Testing

@testable import BuildScreen

@Suite struct TerminalTextTests {
    private func lines(_ text: String) -> [String] { TerminalText.lines(text) }

    @Test func nothingThatATerminalObeysGetsThrough() {
        let bad = [
            "\u{1b}[2J", "\u{1b}[31;1mred\u{1b}[0m", "\u{1b}]0;title\u{7}", "\u{1b}]52;c;aGk=\u{1b}\\",
            "\u{1b}P1$r\u{1b}\\", "\u{1b}c", "\u{1b}(0", "\u{9b}6n", "\u{90}q\u{9c}", "\u{7f}\u{0}\u{7}\u{8}",
            "\u{202e}evil\u{2066}", "\u{2028}", "\u{1b}_apc\u{1b}\\", "\u{1b}^pm\u{1b}\\",
            "\u{1b}]a\u{1b}[31m",
        ]
        for text in bad {
            for line in lines("a\(text)b") {
                #expect(
                    line.unicodeScalars.allSatisfy {
                        $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value)
                            && ![0x202e, 0x2066, 0x2028].contains($0.value)
                    }, "\(text.debugDescription)")
            }
        }
        #expect(lines("a\u{1b}[31mb\u{1b}]0;t\u{7}c\u{1b}]8;;x\u{1b}\\d") == ["abcd"])
        #expect(lines("\u{1b}]0;never ended\nb") == ["", "b"])
    }

    @Test func aProgressBarShowsItsLastState() {
        #expect(lines(" 10%\r 50%\r100%\ndone\r\n") == ["100%", "done"])
        #expect(lines("50%\r") == ["50%"])
        #expect(lines("ab\u{8}c") == ["ac"])
        #expect(lines("a\tb") == ["a       b"])
    }

    @Test func cutsAnywhereMakeNoDifference() {
        let text = Array("é\u{1b}[1;31m漢字\u{1b}]0;x\u{1b}\\😀\r\nend\u{1b}[0m!\n".utf8)
        var whole = TerminalText()
        let expected = whole.feed(text)
        #expect(expected == ["é漢字😀", "end!"])
        for cut in 0...text.count {
            var parts = TerminalText()
            #expect(parts.feed(Array(text[..<cut])) + parts.feed(Array(text[cut...])) == expected)
        }
        var single = TerminalText()
        #expect(text.flatMap { single.feed([$0]) } == expected)
    }

    @Test func bytesThatAreNoTextAreReplacedAndLinesEnd() {
        var text = TerminalText()
        #expect(text.feed([0xff, 0x41, 0xc3, 0x0a]) == ["\u{fffd}A\u{fffd}"])
        let long = text.feed(Array(repeating: 0x61, count: TerminalText.longestLine * 2 + 5))
        #expect(long.map(\.count) == [TerminalText.longestLine, TerminalText.longestLine])
        #expect(text.finish() == "aaaaa")
        #expect(text.finish() == nil)
    }

    @Test func widthIsInCells() {
        #expect(TextWidth.of("abc") == 3)
        #expect(TextWidth.of("漢字") == 4)
        #expect(TextWidth.of("e\u{301}") == 1)
        #expect(TextWidth.of("😀") == 2)
        #expect(TextWidth.cut("漢字", to: 3) == "漢")
    }
}
