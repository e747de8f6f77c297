internal import CYAML
package import Failure

/// A document of YAML as JSON, for readers of JSON; parsed by libyaml.
///
/// YAML tells numbers from texts by their looks, so that a name `0` or a version `1.10` is no text there unless somebody
/// thought of quotes. Here the reader says which keys have other values than texts, and all else is a text as written.
package enum YAMLDocument {
    /// How deep lists and mappings may nest.
    static let depthLimit = 64
    /// What aliases may make of a small document.
    static let nodeLimit = 200_000

    /// - Parameters:
    ///   - what: names the document in failures.
    ///   - plainKeys: values of these keys, and what lists under them hold, become numbers, true and false where they look
    ///     like it.
    /// - Throws: `invalidArgument` with the line at fault.
    package static func json(
        _ bytes: [UInt8], as what: String, plainKeys: Set<String>
    ) throws(Failure) -> [UInt8] {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else {
            throw Failure(.internal, "\(what): no memory to read it")
        }
        defer { yaml_parser_delete(parser) }
        let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(bytes.count, 1))
        defer { copy.deallocate() }
        _ = copy.initialize(from: bytes)
        yaml_parser_set_input_string(parser, copy.baseAddress, bytes.count)
        var composer = YAMLComposer(parser, what)
        let root = try composer.document()
        var writer = JSONText(plainKeys: plainKeys, limit: nodeLimit)
        guard writer.add(root, isPlain: false) else {
            throw Failure(.invalidArgument, "\(what): aliases make more than \(nodeLimit) values of it")
        }
        return writer.bytes
    }
}
