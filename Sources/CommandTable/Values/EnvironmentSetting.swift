package import Failure

/// One `-e NAME=VALUE` or `-e NAME`, and the lines of `--env-file`.
package struct EnvironmentSetting: Equatable, Sendable {
    package let name: String
    /// Nil: the value is taken from ctr's own environment, and the variable is left out where that has none.
    package let value: String?

    package static func parse(_ text: String) throws(Failure) -> EnvironmentSetting {
        guard !text.utf8.contains(0) else { throw Failure(.invalidArgument, "a NUL byte in it") }
        let equals = text.utf8.firstIndex(of: UInt8(ascii: "="))
        let name = equals.map { String(text[..<$0]) } ?? text
        guard !name.isEmpty else { throw Failure(.invalidArgument, "no variable name before the =") }
        return EnvironmentSetting(
            name: name, value: equals.map { String(text[text.utf8.index(after: $0)...]) })
    }

    /// `NAME=VALUE`, or nil when neither the setting nor `environment` has a value.
    package func resolved(_ environment: (String) -> String?) -> String? {
        (value ?? environment(name)).map { "\(name)=\($0)" }
    }
}
