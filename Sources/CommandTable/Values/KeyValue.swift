package import Failure

/// `KEY=VALUE` of `--label`, `--annotation`, `--sysctl`, `--log-opt` and `--opt`.
package struct KeyValue: Equatable, Sendable {
    package let key: String
    package let value: String

    package init(key: String, value: String) {
        self.key = key
        self.value = value
    }

    /// `KEY=VALUE`, or `KEY` alone for an empty value.
    package static func label(_ text: String) throws(Failure) -> KeyValue {
        let equals = text.utf8.firstIndex(of: UInt8(ascii: "="))
        let key = equals.map { String(text[..<$0]) } ?? text
        guard !key.isEmpty else { throw Failure(.invalidArgument, "no key before the =") }
        return KeyValue(key: key, value: equals.map { String(text[text.utf8.index(after: $0)...]) } ?? "")
    }

    /// `KEY=VALUE` with both halves there; the value may be empty.
    package static func pair(_ text: String) throws(Failure) -> KeyValue {
        guard text.utf8.contains(UInt8(ascii: "=")) else {
            throw Failure(.invalidArgument, "not of the form KEY=VALUE")
        }
        return try label(text)
    }

    /// The lines of `--label-file`: `KEY=VALUE` or `KEY`, `#` for comments.
    package static func labelFile(_ bytes: [UInt8], path: String) throws(Failure) -> [KeyValue] {
        try EnvFile.parse(bytes, path: path).map { KeyValue(key: $0.name, value: $0.value ?? "") }
    }
}
