/// One thing that `doctor` says of a host.
package struct Finding: Sendable, Equatable, Encodable {
    package enum Weight: String, Sendable, Encodable {
        /// As it should be.
        case fine
        /// Something is less than it could be.
        case warning
        /// Containers do not run, or not safely.
        case problem
    }

    /// Stable, for programs: `subuid`.
    package let code: String
    package let weight: Weight
    package let text: String
    /// The line that mends it, for a root shell unless it says otherwise; nil where there is none.
    package let mend: String?

    package init(_ code: String, _ weight: Weight, _ text: String, mend: String? = nil) {
        self.code = code
        self.weight = weight
        self.text = text
        self.mend = mend
    }
}
