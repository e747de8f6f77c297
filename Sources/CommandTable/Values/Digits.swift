/// Decimal numbers in the bytes of a command line, without Foundation and without surprises: digits only, no sign, no space.
enum Digits {
    /// The number of these digits, or nil when there are none, something else, or more than fits.
    static func unsigned(_ text: some Collection<UInt8>) -> Int64? {
        guard !text.isEmpty else { return nil }
        var number: Int64 = 0
        for byte in text {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (tens, over) = number.multipliedReportingOverflow(by: 10)
            let (sum, more) = tens.addingReportingOverflow(Int64(byte &- 0x30))
            guard !over, !more else { return nil }
            number = sum
        }
        return number
    }

    /// A decimal such as `1.5` times `unit`, rounded down; nil when it is none or does not fit. `exact` tells whether nothing
    /// was rounded away.
    static func scaled(_ text: Substring.UTF8View, by unit: Int64) -> (value: Int64, exact: Bool)? {
        let point = text.firstIndex(of: UInt8(ascii: "."))
        let wholeText = point.map { text[..<$0] } ?? text
        let fractionText = point.map { text[text.index(after: $0)...] }
        guard !wholeText.isEmpty || fractionText?.isEmpty == false else { return nil }
        let wholeNumber: Int64? = wholeText.isEmpty ? 0 : unsigned(wholeText)
        guard let wholeNumber else { return nil }
        let (whole, over) = wholeNumber.multipliedReportingOverflow(by: unit)
        guard !over else { return nil }
        var fraction: Int64 = 0
        var exact = true
        if let fractionText {
            var places: [Int64] = []
            for byte in fractionText {
                guard (0x30...0x39).contains(byte) else { return nil }
                places.append(Int64(byte &- 0x30))
            }
            while places.last == 0 { places.removeLast() }
            // Ten to the 18th is the largest power that fits.
            if places.count > 18 {
                places.removeSubrange(18...)
                exact = false
            }
            var numerator: Int64 = 0
            var denominator: Int64 = 1
            for place in places {
                numerator = numerator * 10 + place
                denominator *= 10
            }
            let product = numerator.multipliedFullWidth(by: unit)
            let (quotient, remainder) = denominator.dividingFullWidth(product)
            fraction = quotient
            if remainder != 0 { exact = false }
        }
        let (sum, more) = whole.addingReportingOverflow(fraction)
        guard !more else { return nil }
        return (sum, exact)
    }
}
