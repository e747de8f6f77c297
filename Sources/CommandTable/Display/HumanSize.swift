/// Sizes as docker's tables print them: powers of 1000, `77.8MB`.
package enum HumanSize {
    private static let decimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    private static let binaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]

    /// - Parameter digits: significant digits, zeros at the end left out: 3 in `images` and `ps -s`, 4 elsewhere.
    package static func decimal(_ bytes: Int64, digits: Int = 3) -> String {
        text(bytes, base: 1000, units: decimalUnits, digits: digits)
    }

    /// Powers of 1024, `256MiB`, as `info` prints memory.
    package static func binary(_ bytes: Int64, digits: Int = 4) -> String {
        text(bytes, base: 1024, units: binaryUnits, digits: digits)
    }

    private static func text(_ bytes: Int64, base: Double, units: [String], digits: Int) -> String {
        var size = Double(bytes.magnitude)
        var unit = 0
        while size >= base, unit < units.count - 1 {
            size /= base
            unit += 1
        }
        var number = significant(size, digits)
        // 999.9 kB is 1 MB at three digits.
        if unit < units.count - 1, number.rounded >= base {
            unit += 1
            number = significant(size / base, digits)
        }
        return (bytes < 0 ? "-" : "") + number.text + units[unit]
    }

    /// The value with so many significant digits, but never without those before the point.
    private static func significant(_ value: Double, _ digits: Int) -> (text: String, rounded: Double) {
        var before = 1
        var bound = 10.0
        while value >= bound {
            before += 1
            bound *= 10
        }
        var scale = 1.0
        for _ in 0..<max(0, digits - before) { scale *= 10 }
        let product = value * scale
        var scaled = product.rounded(.toNearestOrEven)
        // A tie that only the multiplication made: 10.05 is a little more than it says. What was lost decides.
        let lost = (-product).addingProduct(value, scale)
        if product - product.rounded(.down) == 0.5, lost != 0 {
            scaled = product.rounded(lost > 0 ? .up : .down)
        }
        let whole = Int64(scaled / scale)
        var fraction = Int64(scaled) - whole * Int64(scale)
        var width = max(0, digits - before)
        while width > 0, fraction % 10 == 0 {
            fraction /= 10
            width -= 1
        }
        guard width > 0 else { return ("\(whole)", scaled / scale) }
        let places = String(fraction)
        return ("\(whole).\(String(repeating: "0", count: width - places.count))\(places)", scaled / scale)
    }
}
