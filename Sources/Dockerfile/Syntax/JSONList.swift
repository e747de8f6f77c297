/// `["a", "b"]`, the exec form of an instruction.
enum JSONList: Equatable {
    case strings([String])
    /// JSON, but not of strings alone.
    case other
    /// No JSON at all: the shell form.
    case none

    init(_ text: String) {
        var reader = JSONReader(text)
        self = reader.list()
    }
}
