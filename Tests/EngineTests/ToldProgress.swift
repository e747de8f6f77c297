import Synchronization
import Transfers

/// Remembers what it was told.
final class ToldProgress: TransferProgress {
    private let state = Mutex<(parts: [String], last: [String: TransferState])>(([], [:]))

    var parts: [String] { state.withLock { $0.parts } }
    var last: [String: TransferState] { state.withLock { $0.last } }

    func note(_ line: String) {}
    func begin(_ parts: [String]) { state.withLock { $0.parts += parts } }
    func report(_ part: String, _ new: TransferState) { state.withLock { $0.last[part] = new } }
    func end() {}
}
