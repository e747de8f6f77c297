package import Failure

/// One `--filter status=exited`.
package struct Filter: Equatable, Sendable {
    package let key: String
    package let value: String

    /// - Parameter keys: those that the verb knows.
    package static func parse(_ text: String, keys: [String]) throws(Failure) -> Filter {
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            throw Failure(
                .invalidArgument, "not of the form KEY=VALUE, with one of \(keys.joined(separator: ", "))")
        }
        let key = trimmed(text[..<equals]).lowercased()
        guard keys.contains(key) else {
            throw Failure(
                .invalidArgument, "cannot filter by \"\(key)\", only by \(keys.joined(separator: ", "))")
        }
        return Filter(key: key, value: trimmed(text[text.utf8.index(after: equals)...]))
    }

    private static func trimmed(_ text: Substring) -> String {
        func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
        var body = text.drop(while: isBlank)
        while let last = body.last, isBlank(last) { body.removeLast() }
        return String(body)
    }
}

/// All filters of a command: an object passes when every key has one value that fits, as docker has it; each `label` must fit.
package struct Filters: Equatable, Sendable {
    package let list: [Filter]

    package init(_ list: [Filter]) {
        self.list = list
    }

    package var isEmpty: Bool { list.isEmpty }

    package func values(_ key: String) -> [String] {
        list.filter { $0.key == key }.map(\.value)
    }

    /// True when no value was given for the key or `fits` one of them.
    package func passes(_ key: String, _ fits: (String) -> Bool) -> Bool {
        let values = values(key)
        return values.isEmpty || values.contains(where: fits)
    }

    /// `label=KEY` asks for the key, `label=KEY=VALUE` for the value too.
    package func passesLabels(_ labels: [String: String]) -> Bool {
        values("label").allSatisfy { wanted in
            guard let equals = wanted.utf8.firstIndex(of: UInt8(ascii: "=")) else {
                return labels[wanted] != nil
            }
            return labels[String(wanted[..<equals])] == String(wanted[wanted.utf8.index(after: equals)...])
        }
    }

    /// The one value of a yes-or-no filter such as `dangling`; nil when it was not given.
    package func flag(_ key: String) throws(Failure) -> Bool? {
        var answer: Bool?
        for text in values(key) {
            guard let value = Toggle.parse(text), answer == nil || answer == value else {
                throw Failure(.invalidArgument, "filter \(key)=\(text): neither true nor false, or both")
            }
            answer = value
        }
        return answer
    }
}
