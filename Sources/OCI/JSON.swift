package import Failure
import FoundationEssentials

/// The only door to JSON in the house: one way to write it, and reading that ends in a one-line failure.
package enum JSON {
    /// What a manifest, index, config or spec may weigh: distribution-spec asks registries for at least 4 MiB.
    package static let documentLimit = 4 << 20

    /// How deep values may nest. Real documents stay below 12.
    static let depthLimit = 128

    /// The value as compact JSON: keys sorted, slashes as they are, so that equal values give equal bytes.
    package static func encode(_ value: some Encodable) throws(Failure) -> [UInt8] {
        try encode(value, formatting: [.sortedKeys, .withoutEscapingSlashes])
    }

    /// As `encode`, in lines and indented, with a newline at the end: for files and output that people read.
    package static func encodePretty(_ value: some Encodable) throws(Failure) -> [UInt8] {
        try encode(value, formatting: [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]) + [0x0A]
    }

    private static func encode(
        _ value: some Encodable, formatting: JSONEncoder.OutputFormatting
    ) throws(Failure) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = formatting
        do {
            return Array(try encoder.encode(value))
        } catch {
            throw Failure(.internal, "\(type(of: value)) cannot be written as JSON", cause: error)
        }
    }

    /// Reads a value. Unknown fields are ignored, null counts as absent for what is optional.
    ///
    /// - Parameters:
    ///   - what: what the document is, for messages: `image config`.
    ///   - limit: the most bytes accepted.
    /// - Throws: `invalidArgument` with the path of the field at fault:
    ///   `image config: rootfs.diff_ids.0: "x" is not a sha256 or sha512 digest`.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, from bytes: [UInt8], as what: String, limit: Int = documentLimit
    ) throws(Failure) -> Value {
        try checkExtent(of: bytes, as: what, limit: limit)
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let failure as Failure {
            throw failure.within(what)
        } catch let error as DecodingError {
            if isGrammar(error), let number = misfit(type, in: bytes) {
                throw Failure(.invalidArgument, "\(what): \(number)", cause: error)
            }
            throw Failure(.invalidArgument, "\(what): \(explain(error))", cause: error)
        } catch {
            throw Failure(.invalidArgument, "\(what): not valid JSON", cause: error)
        }
    }
}

extension JSON {
    /// Before a recursive parser gets the bytes.
    static func checkExtent(of bytes: [UInt8], as what: String, limit: Int) throws(Failure) {
        guard bytes.count <= limit else {
            throw Failure(.invalidArgument, "\(what): \(bytes.count) bytes, more than the \(limit) allowed")
        }
        guard JSONScan.depth(of: bytes, limit: depthLimit) <= depthLimit else {
            throw Failure(
                .invalidArgument, "\(what): lists and objects nest deeper than \(depthLimit) levels")
        }
    }

    /// Whether swift-foundation took the document for broken. It says so without a path, and of numbers too
    /// that do not fit the type asked for.
    private static func isGrammar(_ error: any Error) -> Bool {
        guard case DecodingError.dataCorrupted(let context) = error else { return false }
        return context.codingPath.isEmpty
            && context.debugDescription.hasPrefix("The given data was not valid JSON")
    }

    /// Which number does not fit, if that is what ails the document: the last of those that must be made 0
    /// before the rest is understood, found by halving.
    private static func misfit<Value: Decodable>(_ type: Value.Type, in bytes: [UInt8]) -> String? {
        guard bytes.count <= 256 << 10 else { return nil }
        let numbers = JSONScan.numbers(of: bytes)
        guard !numbers.isEmpty else { return nil }
        func isUnderstood(zeroing count: Int) -> Bool {
            do {
                _ = try JSONDecoder().decode(
                    type, from: Data(JSONScan.zeroing(numbers.prefix(count), in: bytes)))
                return true
            } catch {
                return !isGrammar(error)
            }
        }
        guard isUnderstood(zeroing: numbers.count) else { return nil }
        var low = 1
        var high = numbers.count
        while low < high {
            let middle = (low + high) / 2
            if isUnderstood(zeroing: middle) { high = middle } else { low = middle + 1 }
        }
        let number = numbers[low - 1]
        let literal = String(decoding: bytes[number.range], as: UTF8.self).onOneLine(limit: 40)
        let path = number.path.isEmpty ? "" : number.path + ": "
        return "\(path)\(literal) is not a whole number in range"
    }

    private static func explain(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            return fieldPath(context.codingPath + [key]) + "missing"
        case .valueNotFound(let type, let context):
            return fieldPath(context.codingPath) + "null where \(name(of: type)) is needed"
        case .typeMismatch(let type, let context):
            return fieldPath(context.codingPath) + "not \(name(of: type))"
        case .dataCorrupted(let context):
            if isGrammar(error) { return "not valid JSON" }
            let detail = context.debugDescription.onOneLine(limit: 300)
            return fieldPath(context.codingPath)
                + (detail.hasSuffix(".") ? String(detail.dropLast()) : detail)
        @unknown default:
            return "not valid JSON"
        }
    }

    private static func fieldPath(_ path: [any CodingKey]) -> String {
        guard !path.isEmpty else { return "" }
        let parts = path.map { key in
            key.intValue.map(String.init) ?? key.stringValue.onOneLine(limit: 80)
        }
        return parts.joined(separator: ".") + ": "
    }

    private static func name(of type: any Any.Type) -> String {
        if type == String.self { return "a string" }
        if type == Bool.self { return "true or false" }
        if type is any FixedWidthInteger.Type { return "a whole number in range" }
        let text = String(describing: type)
        if text.hasPrefix("Array<") { return "a list" }
        return "an object"
    }
}
