package import Failure

/// The value of `--chmod`: octal, or symbolic as chmod(1) of BSD reads it with a umask of 0, which is how BuildKit does.
package struct ModeChange: Sendable, Equatable {
    package let text: String
    private let change: Change

    private enum Change: Sendable, Equatable {
        case octal(UInt32)
        case symbolic([Clause])
    }

    private struct Clause: Sendable, Equatable {
        enum Operation: Sendable { case add, remove, set }
        /// The bits that this clause may touch.
        var reach: UInt32
        var operation: Operation
        var bits: UInt32
        /// `X`: execution for directories, and for files that somebody may execute already.
        var conditionalExecution = false
        /// `u`, `g` or `o` on the right side: how far their bits are to the left of others'.
        var copied: UInt32?
    }

    package init(_ text: String) throws(Failure) {
        self.text = text
        if let first = text.utf8.first, (0x30...0x39).contains(first) {
            guard let value = UInt32(text, radix: 8), value <= 0o7777 else {
                throw Failure(
                    .invalidArgument,
                    "invalid chmod parameter: '\(text)'. it should be octal string and between 0 and 07777")
            }
            change = .octal(value)
        } else {
            change = .symbolic(try ModeChange.parse(text))
        }
    }

    /// The octal value; nil for a symbolic one.
    package var absolute: UInt32? {
        if case .octal(let value) = change { return value }
        return nil
    }

    /// The permission bits (with set-id and sticky) that come of `mode`.
    package func applied(to mode: UInt32, isDirectory: Bool) -> UInt32 {
        switch change {
        case .octal(let value): return value
        case .symbolic(let clauses):
            let original = mode & 0o7777
            var mode = original
            for clause in clauses {
                var bits = clause.bits
                if clause.conditionalExecution, isDirectory || original & 0o111 != 0 { bits |= 0o111 }
                if let shift = clause.copied { bits |= (mode >> shift & 7) * 0o111 }
                // The sticky bit belongs to nobody.
                bits &= clause.reach | 0o1000
                switch clause.operation {
                case .add: mode |= bits
                case .remove: mode &= ~bits
                case .set: mode = mode & ~clause.reach | bits
                }
            }
            return mode
        }
    }
}

extension ModeChange {
    private static func parse(_ text: String) throws(Failure) -> [Clause] {
        var clauses: [Clause] = []
        for part in text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
            var rest = part[...]
            var reach: UInt32 = 0
            while let first = rest.first, let who = who(first) {
                reach |= who
                rest.removeFirst()
            }
            let onlyOthers = reach == 0o007
            if reach == 0 { reach = 0o6777 }
            guard !rest.isEmpty else { throw invalid(text, "an operator (+, - or =) is missing") }
            while let sign = rest.popFirst() {
                guard let operation = operation(sign) else {
                    throw invalid(text, "\"\(shown(sign))\" is no operator: + - =")
                }
                var clause = Clause(reach: reach, operation: operation, bits: 0)
                while let letter = rest.first, self.operation(letter) == nil {
                    rest.removeFirst()
                    switch letter {
                    case UInt8(ascii: "r"): clause.bits |= 0o444
                    case UInt8(ascii: "w"): clause.bits |= 0o222
                    case UInt8(ascii: "x"): clause.bits |= 0o111
                    case UInt8(ascii: "X"): clause.conditionalExecution = true
                    case UInt8(ascii: "s"): clause.bits |= onlyOthers ? 0 : 0o6000
                    case UInt8(ascii: "t"): clause.bits |= onlyOthers ? 0 : 0o1000
                    case UInt8(ascii: "u"), UInt8(ascii: "g"), UInt8(ascii: "o"):
                        guard clause.copied == nil else {
                            throw invalid(text, "one of u, g and o can be copied at a time")
                        }
                        clause.copied = letter == UInt8(ascii: "u") ? 6 : letter == UInt8(ascii: "g") ? 3 : 0
                    default: throw invalid(text, "\"\(shown(letter))\" is no permission: r w x X s t u g o")
                    }
                }
                clauses.append(clause)
            }
        }
        return clauses
    }

    private static func who(_ letter: UInt8) -> UInt32? {
        switch letter {
        case UInt8(ascii: "u"): 0o4700
        case UInt8(ascii: "g"): 0o2070
        case UInt8(ascii: "o"): 0o0007
        case UInt8(ascii: "a"): 0o6777
        default: nil
        }
    }

    private static func operation(_ sign: UInt8) -> Clause.Operation? {
        switch sign {
        case UInt8(ascii: "+"): .add
        case UInt8(ascii: "-"): .remove
        case UInt8(ascii: "="): .set
        default: nil
        }
    }

    private static func shown(_ byte: UInt8) -> String {
        byte < 0x80 && byte >= 0x20 ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
    }

    private static func invalid(_ text: String, _ why: String) -> Failure {
        Failure(
            .invalidArgument, "invalid chmod parameter: '\(text)': \(why)",
            hint: "octal (0755) or symbolic (u=rwX,go=rX)")
    }
}
