internal import Failure

/// The fields of one object of a document, by name and kind. Unknown fields are ignored, null counts as absent, and of a key
/// that is given twice the last counts. Every failure names the path of the field at fault.
struct JSONFields {
    private let members: [JSONValue.Member]
    private let place: Place

    /// Where in the document something stands; put into words only when it is at fault.
    private indirect enum Place {
        case document(String)
        case field(Place, String)
        case item(Place, Int)

        var words: String {
            switch self {
            case .document(let name): "\(name): "
            case .field(let above, let key): "\(above.words)\(above.dot)\(key.onOneLine(limit: 80))"
            case .item(let above, let index): "\(above.words)\(above.dot)\(index)"
            }
        }

        private var dot: String { if case .document = self { "" } else { "." } }

        func fault(_ why: String) -> Failure {
            if case .document = self { return Failure(.invalidArgument, words + why) }
            return Failure(.invalidArgument, "\(words): \(why)")
        }
    }

    /// - Throws: `invalidArgument` for what is no JSON object.
    init(_ bytes: [UInt8], as what: String) throws(Failure) {
        try self.init(try JSONValue.parse(bytes, as: what), at: .document(what))
    }

    private init(_ value: JSONValue, at place: Place) throws(Failure) {
        guard case .object(let members) = value else { throw place.fault("not an object") }
        self.members = members
        self.place = place
    }

    private func value(_ key: String) -> JSONValue? {
        guard let value = members.last(where: { $0.key == key })?.value else { return nil }
        if case .null = value { return nil }
        return value
    }

    func has(_ key: String) -> Bool { value(key) != nil }

    /// For what JSON alone cannot tell.
    func fault(_ key: String, _ why: String) -> Failure { at(key).fault(why) }

    private func at(_ key: String) -> Place { .field(place, key) }

    /// For documents in which nothing unknown may stand.
    func refuseOthers(than known: Set<String>) throws(Failure) {
        if let other = members.first(where: { !known.contains($0.key) }) {
            throw at(other.key).fault("not known")
        }
    }

    /// For a field that must be there.
    func needed<Value>(_ key: String, _ get: (String) throws(Failure) -> Value?) throws(Failure) -> Value {
        guard let value = try get(key) else {
            let isNull = members.contains { $0.key == key }
            throw at(key).fault(isNull ? "null where a value is needed" : "missing")
        }
        return value
    }
}

extension JSONFields {
    func text(_ key: String) throws(Failure) -> String? {
        try value(key).map { (value) throws(Failure) in try JSONFields.text(value, at(key)) }
    }

    func flag(_ key: String) throws(Failure) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .flag(let flag) = value else { throw at(key).fault("not true or false") }
        return flag
    }

    func number<Number: FixedWidthInteger>(_ key: String) throws(Failure) -> Number? {
        try value(key).map { (value) throws(Failure) in try JSONFields.number(value, at(key)) }
    }

    /// One of an enumeration's words.
    func word<Word: RawRepresentable<String>>(_ key: String) throws(Failure) -> Word? {
        try value(key).map { (value) throws(Failure) in try JSONFields.word(value, at(key)) }
    }

    func object<Value>(_ key: String, _ make: (JSONFields) throws(Failure) -> Value) throws(Failure) -> Value?
    {
        try value(key).map { (value) throws(Failure) in try make(JSONFields(value, at: at(key))) }
    }

    func list<Value>(_ key: String, _ make: (JSONFields) throws(Failure) -> Value) throws(Failure) -> [Value]?
    {
        try items(key) { (value, place) throws(Failure) in try make(JSONFields(value, at: place)) }
    }

    func texts(_ key: String) throws(Failure) -> [String]? { try items(key, JSONFields.text) }

    func numbers<Number: FixedWidthInteger>(_ key: String) throws(Failure) -> [Number]? {
        try items(key) { (value, place) throws(Failure) in try JSONFields.number(value, place) }
    }

    func words<Word: RawRepresentable<String>>(_ key: String) throws(Failure) -> [Word]? {
        try items(key) { (value, place) throws(Failure) in try JSONFields.word(value, place) }
    }

    /// An object whose keys are data.
    func textsByKey(_ key: String) throws(Failure) -> [String: String]? {
        try map(key, JSONFields.text)
    }

    func objectsByKey<Value>(_ key: String, _ make: (JSONFields) throws(Failure) -> Value) throws(Failure)
        -> [String: Value]?
    {
        try map(key) { (value, place) throws(Failure) in try make(JSONFields(value, at: place)) }
    }

    private func items<Value>(
        _ key: String, _ make: (JSONValue, Place) throws(Failure) -> Value
    ) throws(Failure) -> [Value]? {
        guard let value = value(key) else { return nil }
        guard case .list(let values) = value else { throw at(key).fault("not a list") }
        var made: [Value] = []
        made.reserveCapacity(values.count)
        for (index, value) in values.enumerated() { made.append(try make(value, .item(at(key), index))) }
        return made
    }

    private func map<Value>(
        _ key: String, _ make: (JSONValue, Place) throws(Failure) -> Value
    ) throws(Failure) -> [String: Value]? {
        guard let value = value(key) else { return nil }
        guard case .object(let members) = value else { throw at(key).fault("not an object") }
        var made: [String: Value] = [:]
        for member in members { made[member.key] = try make(member.value, .field(at(key), member.key)) }
        return made
    }

    private static func text(_ value: JSONValue, _ place: Place) throws(Failure) -> String {
        guard case .text(let text) = value else { throw place.fault("not a string") }
        return text
    }

    private static func number<Number: FixedWidthInteger>(_ value: JSONValue, _ place: Place) throws(Failure)
        -> Number
    {
        guard case .number(let literal) = value else { throw place.fault("not a whole number in range") }
        // 1e3 and 1.0 are whole numbers too.
        if let number = Number(literal) ?? Double(literal).flatMap({ Number(exactly: $0) }) { return number }
        throw place.fault("\(String(literal).onOneLine(limit: 40)) is not a whole number in range")
    }

    private static func word<Word: RawRepresentable<String>>(_ value: JSONValue, _ place: Place)
        throws(Failure)
        -> Word
    {
        let text = try text(value, place)
        guard let word = Word(rawValue: text) else {
            throw place.fault("\(text.quotedForMessage) is not known")
        }
        return word
    }
}
