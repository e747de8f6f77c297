/// Nodes in an order that classic BPF can run: all jumps go forward, conditional ones by 255 instructions at most.
///
/// It is written from the end to the beginning, so that a jump's distance is known when the jump is written.
struct SeccompLayout {
    private typealias Code = SeccompInstruction.Code

    private let nodes: [SeccompNode]
    /// The last instruction first.
    private var reversed: [SeccompInstruction] = []
    /// Where a node can be reached: the latest of its copies and of the jumps to it.
    private var places: [Int: Int] = [:]

    private static let farthest = 255

    static func program(_ nodes: [SeccompNode], entry: Int) -> [SeccompInstruction] {
        var layout = SeccompLayout(nodes: nodes)
        layout.write(entry)
        return layout.reversed.reversed()
    }

    private init(nodes: [SeccompNode]) { self.nodes = nodes }

    private mutating func write(_ node: Int) {
        if places[node] != nil { return }
        switch nodes[node] {
        case .answer(let value): append(SeccompInstruction(code: Code.answer, value: value), as: node)
        case .load(let offset, let then):
            writeBefore(then)
            append(SeccompInstruction(code: Code.loadWord, value: offset), as: node)
        case .and(let mask, let then):
            writeBefore(then)
            append(SeccompInstruction(code: Code.and, value: mask), as: node)
        case .test(let code, let value, let ifTrue, let ifFalse):
            write(ifFalse)
            write(ifTrue)
            // What brings one near moves the other away by one.
            while max(distance(ifTrue), distance(ifFalse)) > Self.farthest {
                bringNear(distance(ifTrue) > distance(ifFalse) ? ifTrue : ifFalse)
            }
            append(
                SeccompInstruction(
                    code: code, ifTrue: UInt8(distance(ifTrue)), ifFalse: UInt8(distance(ifFalse)),
                    value: value),
                as: node)
        }
    }

    /// Makes a node what the next instruction written goes on to.
    private mutating func writeBefore(_ node: Int) {
        write(node)
        if distance(node) > 0 { bringNear(node) }
    }

    /// Writes a copy of an answer, or a jump to any other node.
    private mutating func bringNear(_ node: Int) {
        let instruction =
            switch nodes[node] {
            case .answer(let value): SeccompInstruction(code: Code.answer, value: value)
            default: SeccompInstruction(code: Code.jump, value: UInt32(distance(node)))
            }
        append(instruction, as: node)
    }

    private mutating func append(_ instruction: SeccompInstruction, as node: Int) {
        places[node] = reversed.count
        reversed.append(instruction)
    }

    /// How many instructions are between the next one written and a node that is written already.
    private func distance(_ node: Int) -> Int {
        guard let place = places[node] else { preconditionFailure("a jump to what is not written") }
        return reversed.count - place - 1
    }
}
