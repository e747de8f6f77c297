internal import OCI

/// Everything that a step's result depends on, by name: its digest is the key of the cache, and two of them tell which
/// input changed.
struct StepInputs: Sendable, Equatable {
    struct Input: Sendable, Equatable {
        /// `parent`, `instruction`, `env PATH`, `files of src`
        let name: String
        /// A digest where the value is long or secret, else the value.
        let value: String
    }

    private(set) var inputs: [Input] = []

    mutating func add(_ name: String, _ value: String) {
        let isPlain = value.utf8.count <= 200 && !value.utf8.contains { $0 < 0x20 }
        inputs.append(Input(name: name, value: isPlain ? value : ContentHash.hex(of: Array(value.utf8))))
    }

    /// 64 hexadecimal digits. Names and values carry their lengths: no two lists of inputs are written alike.
    var key: String {
        var hash = ContentHash()
        hash.update(Array("ctr-build-step 1\n".utf8))
        for input in inputs {
            hash.update(
                Array(
                    "\(input.name.utf8.count) \(input.name) \(input.value.utf8.count) \(input.value)\n".utf8))
        }
        return hash.hex
    }

    func value(of name: String) -> String? { inputs.first { $0.name == name }?.value }

    /// Names of what differs from a former step's inputs, in words.
    func changes(since former: StepInputs) -> [String] {
        let old = Dictionary(former.inputs.map { ($0.name, $0.value) }) { first, _ in first }
        let new = Dictionary(inputs.map { ($0.name, $0.value) }) { first, _ in first }
        var lines: [String] = []
        for input in inputs {
            guard let before = old[input.name] else {
                lines.append("\(input.name) is new")
                continue
            }
            if before != input.value { lines.append("\(input.name) changed") }
        }
        for input in former.inputs where new[input.name] == nil { lines.append("\(input.name) is gone") }
        return lines
    }
}

extension StepInputs {
    mutating func replace(_ name: String, _ value: String) {
        inputs = inputs.map { $0.name == name ? Input(name: name, value: value) : $0 }
    }
}
