/// Lines of a Dockerfile, counted from 1, and the column of what is meant in the first of them, counted from 1 in
/// characters (nil: the whole line).
package struct SourceRange: Sendable, Hashable {
    package var firstLine, lastLine: Int
    package var column: Int?

    package init(_ firstLine: Int, _ lastLine: Int? = nil, column: Int? = nil) {
        self.firstLine = firstLine
        self.lastLine = lastLine ?? firstLine
        self.column = column
    }
}
