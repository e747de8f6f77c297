/// Lines of a Dockerfile as a message shows them: numbered, the meant ones marked, the column pointed at.
package struct Excerpt {
    package let lines: [String]
    package let range: SourceRange

    package init(lines: [String], range: SourceRange) {
        self.lines = lines
        self.range = range
    }

    /// Without a newline at its end; empty where the range is outside of the text.
    package var text: String {
        let first = max(1, range.firstLine - 1)
        let last = min(lines.count, range.lastLine + 1)
        guard first <= last else { return "" }
        let width = String(last).count
        var shown: [String] = []
        for number in first...last {
            let isMeant = (range.firstLine...max(range.firstLine, range.lastLine)).contains(number)
            let digits = String(number)
            let gap = String(repeating: " ", count: width - digits.count)
            shown.append("  \(gap)\(digits) \(isMeant ? ">" : " ")| \(lines[number - 1])")
            if number == range.firstLine, let column = range.column {
                shown.append(
                    String(repeating: " ", count: width + 3) + " | "
                        + String(repeating: " ", count: max(0, column - 1)) + "^")
            }
        }
        return shown.joined(separator: "\n")
    }
}
