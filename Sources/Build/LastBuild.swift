internal import ImageStore
internal import LinuxSystem
internal import Synchronization

/// The inputs of every step of a Dockerfile's last build, by stage and place.
final class LastBuild: Sendable {
    private struct State {
        var former: [String: StepInputs] = [:]
        var now: [String: StepInputs] = [:]
    }

    private static let kind = "ctr-last-build 1"
    private let state = Mutex(State())

    func inputs(at place: String) -> StepInputs? { state.withLock { $0.former[place] } }

    func set(_ inputs: StepInputs, at place: String) { state.withLock { $0.now[place] = inputs } }

    /// What cannot be read is forgotten: it explains, and nothing more.
    func load(from root: StoreRoot, _ identity: String) {
        guard
            let bytes = (try? AtomicFile.read("build/last/\(identity)", in: root.raw, limit: 16 << 20))
                ?? nil,
            let record = try? FlatRecord(kind: LastBuild.kind, parsing: bytes, name: identity)
        else { return }
        var former: [String: StepInputs] = [:]
        for entry in record.entries where entry.key.hasPrefix("s") {
            guard let tab = entry.value.firstIndex(of: "\t") else { continue }
            former[String(entry.key.dropFirst()), default: StepInputs()].add(
                String(entry.value[..<tab]), String(entry.value[entry.value.index(after: tab)...]))
        }
        state.withLock { [former] in $0.former = former }
    }

    func save(in root: StoreRoot, _ identity: String) {
        let (former, now) = state.withLock { ($0.former, $0.now) }
        // Steps that a failed build did not come to are what they were.
        let all = former.merging(now) { _, new in new }
        guard all != former else { return }
        var record = FlatRecord(kind: LastBuild.kind)
        for place in all.keys.sorted() {
            for input in all[place]?.inputs ?? [] { record.add("s\(place)", "\(input.name)\t\(input.value)") }
        }
        guard let last = try? root.directory("build/last") else { return }
        try? AtomicFile.write(record.bytes, to: identity, in: last.raw, durable: false)
    }
}
