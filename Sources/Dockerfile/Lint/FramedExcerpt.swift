/// Lines of a Dockerfile as BuildKit frames them below a warning:
///
/// ```
/// Dockerfile:2
/// --------------------
///    1 |     FROM scratch
///    2 | >>> CMD run
/// --------------------
/// ```
struct FramedExcerpt {
    let document: DockerfileDocument
    let range: SourceRange

    /// None where the range is outside of the text.
    var lines: [String] {
        let all = document.lines
        var first = range.firstLine
        guard first >= 1, first <= all.count else { return [] }
        var last = min(max(range.lastLine, first), all.count)
        let meant = first...last
        // BuildKit's way to choose the lines around: one line alone gets more of them.
        let wanted = first == last ? 4 : 2
        var added = 0
        while added < wanted {
            if first > 1 {
                first -= 1
                added += 1
            }
            if last < all.count {
                last += 1
                added += 1
            }
            added += 1
        }
        let rule = String(repeating: "-", count: 20)
        let shown = (first...last).map { number in
            let digits = String(number)
            let gap = String(repeating: " ", count: max(0, 3 - digits.count))
            return " \(gap)\(digits) | \(meant.contains(number) ? ">>>" : "   ") \(all[number - 1])"
        }
        return ["\(document.name):\(range.firstLine)", rule] + shown + [rule]
    }
}
