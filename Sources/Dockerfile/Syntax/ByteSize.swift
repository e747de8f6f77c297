/// Sizes as Docker's flags take them: `64m`, `1.5 GiB`; the units are powers of 1024.
enum ByteSize {
    static func bytes(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard digits.contains(where: \.isNumber), let number = Double(digits) else { return nil }
        var unit = text[digits.endIndex...].lowercased()[...]
        if unit.first == " " { unit = unit.dropFirst() }
        guard let scale = scale(unit) else { return nil }
        let bytes = number * scale
        return bytes < 0x1p63 ? Int64(bytes) : nil
    }

    private static func scale(_ unit: Substring) -> Double? {
        if unit.isEmpty || unit == "b" { return 1 }
        guard let first = unit.first, let power = Array("kmgtp").firstIndex(of: first),
            ["", "b", "ib"].contains(unit.dropFirst())
        else { return nil }
        return (0...power).reduce(1) { scale, _ in scale * 1024 }
    }
}
