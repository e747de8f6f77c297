package import Failure

/// What is wrong with a Dockerfile, and where.
package struct DockerfileError: Error, Sendable, Equatable {
    package var message: String
    package var range: SourceRange?
    /// What to do, e.g. `did you mean "ENTRYPOINT"?`
    package var hint: String?

    package init(_ message: String, at range: SourceRange? = nil, hint: String? = nil) {
        self.message = message
        self.range = range
        self.hint = hint
    }

    package func at(_ range: SourceRange) -> DockerfileError {
        self.range == nil ? DockerfileError(message, at: range, hint: hint) : self
    }
}

extension DockerfileError {
    /// The error as every room throws it: `Dockerfile:3:5: unknown instruction "RUNN"`, with the lines that are meant
    /// and what to do as its hint.
    package func failure(in document: String, lines: [String]) -> Failure {
        guard let range else { return Failure(.invalidArgument, "\(document): \(message)", hint: hint) }
        let place = range.column.map { "\(range.firstLine):\($0)" } ?? "\(range.firstLine)"
        let excerpt = Excerpt(lines: lines, range: range).text
        return Failure(
            .invalidArgument, "\(document):\(place): \(message)",
            hint: [hint, excerpt].compactMap { $0 }.joined(separator: "\n"))
    }
}
