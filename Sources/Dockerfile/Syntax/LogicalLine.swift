/// An instruction with its continuation lines, before its heredocs.
struct LogicalLine {
    var fragment: Fragment
    /// From 1.
    var firstLine, lastLine: Int
}
