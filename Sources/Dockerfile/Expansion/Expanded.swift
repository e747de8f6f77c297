/// Text after its variables were put in, and which ones those were.
package struct Expanded<Value> {
    package var value: Value
    /// Variables that were read and have a value.
    package var used: Set<String>
    /// Variables that were read, have no value, and were given nothing to stand in for it.
    package var undefined: Set<String>

    package init(_ value: Value, used: Set<String> = [], undefined: Set<String> = []) {
        self.value = value
        self.used = used
        self.undefined = undefined
    }
}

extension Expanded: Sendable where Value: Sendable {}
extension Expanded: Equatable where Value: Equatable {}
