/// A character of an instruction and where it stands in the file, which continuation lines move about.
struct LocatedScalar {
    var scalar: Unicode.Scalar
    /// Both from 1.
    var line, column: Int
}

extension Unicode.Scalar {
    /// What parts the words of an instruction.
    var isBlank: Bool { self == " " || ("\t"..."\r").contains(self) && self != "\n" }
    var isSpace: Bool { properties.isWhitespace }
    var isDigit: Bool { ("0"..."9").contains(self) }
}
