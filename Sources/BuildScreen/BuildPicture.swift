/// A build as a picture of lines: what BuildKit's display on a terminal looks like.
///
/// ```
/// [+] Building 3.2s (1/3)
///  => CACHED [base 2/5] COPY . .          0.0s
///  => [base 3/5] RUN make                 2.1s
///  => => # cc -c a.c
/// ```
package struct BuildPicture: Sendable {
    private struct Step {
        let name: String
        let begun: Int64
        var output: StepOutput
        var told: [String] = []
        var end: (how: StepEnd, at: Int64)?
    }

    private static let shownOutput = 6
    private static let shownTold = 12

    private let begun: Int64
    /// In the order of their beginnings.
    private var order: [Int] = []
    private var steps: [Int: Step] = [:]

    /// - Parameter now: nanoseconds, as in all calls.
    package init(at now: Int64) { begun = now }

    package mutating func began(_ step: Int, _ name: String, at now: Int64) {
        if steps[step] == nil { order.append(step) }
        steps[step] = Step(
            name: TerminalText.line(name), begun: now, output: StepOutput(filters: true, begun: now))
    }

    package mutating func wrote(_ step: Int, _ bytes: [UInt8], at now: Int64) {
        _ = steps[step]?.output.add(bytes, at: now)
    }

    package mutating func told(_ step: Int, _ line: String) {
        guard steps[step] != nil else { return }
        steps[step]?.told.append(TerminalText.line(line))
        if let count = steps[step]?.told.count, count > BuildPicture.shownTold {
            steps[step]?.told.removeFirst()
        }
    }

    package mutating func ended(_ step: Int, _ end: StepEnd, at now: Int64) {
        steps[step]?.end = (end, now)
    }

    // MARK: the picture

    private struct Block {
        let head: ScreenLine
        var told: [ScreenLine]
        var output: [ScreenLine] = []
        /// Goes before others where there is not enough room.
        let isPast: Bool

        var count: Int { 1 + told.count + output.count }
    }

    /// While the build is at work: never more lines than fit above the cursor's.
    package func lines(_ size: ScreenSize, at now: Int64) -> [ScreenLine] {
        let room = max(1, size.rows - 1) - 1
        var blocks = blocks(size.columns, at: now)
        var total = blocks.reduce(0) { $0 + $1.count }
        while total > room, let past = blocks.firstIndex(where: \.isPast) {
            total -= blocks.remove(at: past).count
        }
        // Too many at work: each shows less, then only the last of them.
        while total > room, let most = blocks.indices.max(by: { blocks[$0].count < blocks[$1].count }),
            blocks[most].count > 1
        {
            if blocks[most].told.isEmpty {
                blocks[most].output.removeFirst()
            } else {
                blocks[most].told.removeFirst()
            }
            total -= 1
        }
        let shown = blocks.flatMap { [$0.head] + $0.told + $0.output }
        return [header(size.columns, at: now, isOver: false)] + shown.suffix(room)
    }

    /// When the build has ended: what stays on the screen, and may scroll.
    package func lastLines(_ size: ScreenSize, at now: Int64, isFinished: Bool) -> [ScreenLine] {
        [header(size.columns, at: now, isOver: isFinished)]
            + blocks(size.columns, at: now).flatMap { [$0.head] + $0.told }
    }

    private func header(_ columns: Int, at now: Int64, isOver: Bool) -> ScreenLine {
        let ended = order.count { steps[$0]?.end != nil }
        let text = "[+] Building \(Seconds.tenths(now - begun))s (\(ended)/\(order.count))"
        return ScreenLine(TextWidth.cut(text + (isOver ? " FINISHED" : ""), to: columns))
    }

    private func blocks(_ columns: Int, at now: Int64) -> [Block] {
        order.compactMap { number in
            guard let step = steps[number] else { return nil }
            var block = Block(
                head: head(step, columns, at: now),
                told: step.told.map { ScreenLine(TextWidth.cut(" => => \($0)", to: columns)) },
                isPast: step.end.map { $0.how == .done || $0.how == .cached || $0.how == .canceled } ?? false)
            if step.end == nil {
                block.output = step.output.tail(BuildPicture.shownOutput, at: now).map {
                    ScreenLine(TextWidth.cut(" => => # \($0.text)", to: columns), .faint)
                }
            }
            return block
        }
    }

    private func head(_ step: Step, _ columns: Int, at now: Int64) -> ScreenLine {
        var words = ""
        var tone = ScreenLine.Tone.plain
        switch step.end?.how {
        case nil: break
        case .done: tone = .finished
        case .cached: (words, tone) = ("CACHED ", .finished)
        case .failed: (words, tone) = ("ERROR ", .failed)
        case .canceled: (words, tone) = ("CANCELED ", .canceled)
        }
        let time = "\(Seconds.tenths((step.end?.at ?? now) - step.begun))s"
        let left = TextWidth.cut(" => \(words)\(step.name)", to: columns - time.count - 1)
        let gap = String(repeating: " ", count: max(1, columns - time.count - TextWidth.of(left)))
        return ScreenLine(left + gap + time, tone)
    }
}
