internal import Failure

/// What a document says to be written for.
struct CDIVersion {
    private let major: Int
    private let minor: Int
    private let text: String
    private let document: String

    init(_ fields: JSONFields, as document: String) throws(Failure) {
        text = try fields.needed("cdiVersion", fields.text)
        self.document = document
        let numbers = (text.first == "v" ? text.dropFirst() : text[...])
            .split(separator: ".", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2],
            major >= 0, patch >= 0, major == 1 && minor >= 0 || major == 0 && minor >= 3
        else {
            throw Failure(
                .unsupported,
                "\(document): cdiVersion: \(text.quotedForMessage) is not known, 0.3.0 to 1.x are")
        }
        self.major = major
        self.minor = minor
    }

    /// - Parameter since: 0.x, and 11 for 1.1.
    func needs(_ since: Int, _ what: String) throws(Failure) {
        guard major * 10 + minor >= since else {
            let first = since > 10 ? "1.\(since - 10).0" : "0.\(since).0"
            throw Failure(
                .invalidArgument,
                "\(document): cdiVersion: \(text) does not have \(what), \(first) is the first")
        }
    }

    func check(_ fields: JSONFields, has key: String, since: Int) throws(Failure) {
        if fields.has(key) { try needs(since, key) }
    }
}
