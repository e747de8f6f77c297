/// What every room throws: a class that programs can act on, a line that a person can read, and what lies beneath.
///
/// `message` says what failed, on which image, path or flag, and why, in one line without a trailing full stop:
/// `pull redis:7: registry answered 404: no such tag`. `hint` says what to do, where something helps.
package struct Failure: Error, Sendable {
    package var code: Code
    package var message: String
    package var hint: String?
    package var cause: (any Error)?

    package init(_ code: Code, _ message: String, hint: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.cause = cause
    }

    /// The same failure seen from one level up: `pull redis:7` before `registry answered 404`.
    package func within(_ context: String) -> Failure {
        Failure(code, "\(context): \(message)", hint: hint, cause: cause)
    }
}

extension Failure {
    /// The shared vocabulary. A struct, so that a later class breaks no exhaustive switch.
    package struct Code: Hashable, Sendable, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }

        package static let notFound = Code(description: "notFound")
        package static let alreadyExists = Code(description: "alreadyExists")
        package static let invalidArgument = Code(description: "invalidArgument")
        package static let permissionDenied = Code(description: "permissionDenied")
        package static let unauthenticated = Code(description: "unauthenticated")
        package static let unavailable = Code(description: "unavailable")
        package static let resourceExhausted = Code(description: "resourceExhausted")
        package static let dataLoss = Code(description: "dataLoss")
        package static let unsupported = Code(description: "unsupported")
        package static let conflict = Code(description: "conflict")
        package static let interrupted = Code(description: "interrupted")
        package static let `internal` = Code(description: "internal")
    }
}

extension Failure: CustomStringConvertible {
    package var description: String { message }
}
