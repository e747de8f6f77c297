/// Lines that are drawn again in their place: the text that brings a terminal from the former ones to the next.
package struct Redraw: Sendable {
    /// Of the lines on the screen.
    private var widths: [Int] = []

    package init() {}

    /// The cursor is below the last line, before and after.
    ///
    /// - Parameter lines: none is wider than `columns`.
    package mutating func text(_ lines: [ScreenLine], columns: Int, colors: Bool) -> String {
        // A terminal that became narrower has broken the lines that it held.
        let former = widths.reduce(0) { $0 + max(1, ($1 + columns - 1) / max(1, columns)) }
        var text = former > 0 ? "\u{1b}[\(former)A" : ""
        for line in lines { text += "\r\u{1b}[2K\(colors ? line.colored : line.text)\n" }
        if former > lines.count { text += "\u{1b}[J" }
        widths = lines.map { TextWidth.of($0.text) }
        return text
    }
}

/// The room for a picture on a terminal.
package struct ScreenSize: Sendable, Equatable {
    package var rows, columns: Int

    /// A terminal that nobody gave a size says 0.
    package init(rows: Int?, columns: Int?) {
        self.rows = rows.map { $0 <= 0 ? 24 : $0 } ?? 24
        self.columns = max(20, columns.map { $0 <= 0 ? 80 : $0 } ?? 80)
    }
}
