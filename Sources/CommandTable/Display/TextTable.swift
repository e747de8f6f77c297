/// Rows of cells in columns as docker prints them: three spaces between columns, a column at least ten wide, the last one
/// without padding.
package struct TextTable: Sendable {
    private static let padding = 3
    private static let leastWidth = 10

    private var rows: [[String]] = []

    package init(header: [String] = []) {
        if !header.isEmpty { rows.append(header) }
    }

    package mutating func append(_ row: [String]) { rows.append(row) }

    /// A line whose cells are divided by tabs, as a template prints it.
    package mutating func append(line: String) {
        rows.append(line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init))
    }

    /// Every row with a newline at its end.
    package var text: String {
        var widths: [Int] = []
        for row in rows {
            for (column, cell) in row.dropLast().enumerated() {
                if column == widths.count { widths.append(Self.leastWidth) }
                widths[column] = max(widths[column], cell.unicodeScalars.count + Self.padding)
            }
        }
        var text = ""
        for row in rows {
            for (column, cell) in row.enumerated() {
                text += cell
                guard column < row.count - 1 else { break }
                text += String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
            }
            text += "\n"
        }
        return text
    }
}
