internal import Failure

/// The value of `--chmod`.
package struct ModeChange: Sendable, Equatable {
    package let text: String
}
