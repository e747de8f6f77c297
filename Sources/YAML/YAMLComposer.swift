internal import CYAML
internal import Failure

/// Nodes of libyaml's events.
struct YAMLComposer {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let what: String
    private var anchors: [String: YAMLNode] = [:]

    init(_ parser: UnsafeMutablePointer<yaml_parser_t>, _ what: String) {
        self.parser = parser
        self.what = what
    }

    private enum Event {
        case scalar(String, isText: Bool, anchor: String?)
        case listStart(anchor: String?)
        case mappingStart(anchor: String?)
        case alias(String)
        case end
        case documentStart
        case streamEnd
        case other
    }

    private func fault(_ why: String, line: Int) -> Failure {
        Failure(.invalidArgument, "\(what): line \(line + 1): \(why)")
    }

    private var line: Int { Int(parser.pointee.mark.line) }

    private mutating func next() throws(Failure) -> Event {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else {
            let problem = parser.pointee.problem.map { String(cString: $0) } ?? "not valid YAML"
            throw fault(problem, line: Int(parser.pointee.problem_mark.line))
        }
        defer { yaml_event_delete(&event) }
        func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
            pointer.map { String(cString: $0) }
        }
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let tag = text(scalar.tag)
            if let tag, !YAMLComposer.tags.contains(tag) {
                throw fault("the tag \(tag) is not known", line: line)
            }
            let isText = tag == nil || tag == "!" ? scalar.plain_implicit == 0 : tag == YAMLComposer.textTag
            return .scalar(
                String(decoding: bytes, as: UTF8.self), isText: isText, anchor: text(scalar.anchor))
        case YAML_SEQUENCE_START_EVENT: return .listStart(anchor: text(event.data.sequence_start.anchor))
        case YAML_MAPPING_START_EVENT: return .mappingStart(anchor: text(event.data.mapping_start.anchor))
        case YAML_ALIAS_EVENT: return .alias(text(event.data.alias.anchor) ?? "")
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: return .end
        case YAML_DOCUMENT_START_EVENT: return .documentStart
        case YAML_STREAM_END_EVENT: return .streamEnd
        default: return .other
        }
    }

    private static let textTag = "tag:yaml.org,2002:str"
    private static let tags: Set<String> = [
        "!", textTag, "tag:yaml.org,2002:int", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null",
    ]

    /// The only one of the stream.
    mutating func document() throws(Failure) -> YAMLNode {
        var root: YAMLNode?
        while true {
            switch try next() {
            case .documentStart:
                guard root == nil else { throw fault("a second document", line: line) }
                root = try node(try next(), depth: 0)
            case .streamEnd: return root ?? .scalar("", isText: false)
            default: continue
            }
        }
    }

    private mutating func node(_ event: Event, depth: Int) throws(Failure) -> YAMLNode {
        guard depth <= YAMLDocument.depthLimit else {
            throw fault("lists and mappings nest deeper than \(YAMLDocument.depthLimit) levels", line: line)
        }
        let made: YAMLNode
        let name: String?
        switch event {
        case .scalar(let text, let isText, let anchor):
            made = .scalar(text, isText: isText)
            name = anchor
        case .listStart(let anchor):
            var items: [YAMLNode] = []
            while true {
                let event = try next()
                if case .end = event { break }
                items.append(try node(event, depth: depth + 1))
            }
            made = .list(items)
            name = anchor
        case .mappingStart(let anchor):
            made = .mapping(try members(depth: depth))
            name = anchor
        case .alias(let name):
            // One that is not whole yet would hold itself.
            guard let node = anchors[name] else {
                throw fault("the alias *\(name) has no anchor before it", line: line)
            }
            return node
        default: throw fault("no value", line: line)
        }
        if let name { anchors[name] = made }
        return made
    }

    private mutating func members(depth: Int) throws(Failure) -> [(key: String, value: YAMLNode)] {
        var members: [(key: String, value: YAMLNode)] = []
        var keys: Set<String> = []
        while true {
            let event = try next()
            if case .end = event { return members }
            guard case .scalar(let key, _, _) = event else {
                throw fault("a key that is no text", line: line)
            }
            guard keys.insert(key).inserted else { throw fault("the key \(key) is given twice", line: line) }
            members.append((key, try node(try next(), depth: depth + 1)))
        }
    }
}
