/// Durations as Go writes them: `1h30m`, `1.5s`, `-3us`.
enum GoDuration {
    struct Problem: Error { let message: String }

    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("μs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]

    static func nanoseconds(_ text: String) throws(Problem) -> Int64 {
        var rest = Array(text.unicodeScalars)[...]
        let isNegative = rest.first == "-"
        if isNegative || rest.first == "+" { rest = rest.dropFirst() }
        if rest.elementsEqual(["0"]) { return 0 }
        guard !rest.isEmpty else { throw Problem(message: "no number") }
        var total: Int64 = 0
        while !rest.isEmpty {
            let number = rest.prefix { $0.isDigit || $0 == "." }
            rest = rest[number.endIndex...]
            let unit = rest.prefix { !$0.isDigit && $0 != "." }
            rest = rest[unit.endIndex...]
            let part = try nanoseconds(of: number, unit: unit)
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { throw Problem(message: "too long") }
            total = sum
        }
        return isNegative ? -total : total
    }

    private static func nanoseconds(
        of number: ArraySlice<Unicode.Scalar>, unit: ArraySlice<Unicode.Scalar>
    ) throws(Problem) -> Int64 {
        let halves = number.split(separator: ".", omittingEmptySubsequences: false).map(text)
        guard halves.count <= 2, number.contains(where: \.isDigit) else {
            throw Problem(message: "no number")
        }
        guard !unit.isEmpty else { throw Problem(message: "no unit") }
        let name = text(unit)
        guard let scale = units.first(where: { $0.name == name })?.nanoseconds else {
            throw Problem(message: "unknown unit \"\(name)\"")
        }
        guard let whole = halves[0].isEmpty ? 0 : Int64(halves[0]) else { throw Problem(message: "too long") }
        let (product, overflow) = whole.multipliedReportingOverflow(by: Int64(scale))
        let fraction = halves.count == 2 ? (Double("0.\(halves[1])") ?? 0) * scale : 0
        let (sum, overflows) = product.addingReportingOverflow(Int64(fraction))
        guard !overflow, !overflows else { throw Problem(message: "too long") }
        return sum
    }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }
}
