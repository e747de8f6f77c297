/// Who is told how a transfer of images goes. The calls come from several threads; bytes are counted from the blob's
/// start.
package protocol Progress: Sendable {
    /// A line about the whole: `12: Pulling from debian`.
    func note(_ line: String)
    /// The parts in the order in which they are to be shown, each by its short digest.
    func begin(_ parts: [String])
    func report(_ part: String, _ state: TransferState)
    /// No part changes any more; notes may follow.
    func end()
}

/// For a program that has a type `Progress` of its own.
package typealias TransferProgress = Progress

/// What is being done with one layer.
package enum TransferState: Sendable, Hashable {
    case waiting
    case downloading(Int64, of: Int64)
    case verifying
    case extracting
    case pulled
    /// Here already, or at the registry already.
    case exists
    /// A layer that was built here becomes a blob; bytes of its tar.
    case compressing(Int64, of: Int64)
    case compressed
    case pushing(Int64, of: Int64)
    case pushed
}

/// Tells nobody.
package struct SilentProgress: Progress {
    package init() {}

    package func note(_ line: String) {}
    package func begin(_ parts: [String]) {}
    package func report(_ part: String, _ state: TransferState) {}
    package func end() {}
}
