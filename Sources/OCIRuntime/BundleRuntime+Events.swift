package import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

/// What `events` prints, a line each, in the form that other runtimes have.
package struct RuntimeEvent: Encodable, Sendable {
    package let type: String
    package let id: String
    package let data: ContainerStatistics?
}

extension BundleRuntime {
    /// The container's usage now.
    package func statistics(_ id: String) throws(Failure) -> RuntimeEvent {
        let directory = try StateDirectory.open(id, in: root)
        let (state, status) = try known(directory)
        guard status != .stopped, status != .creating else {
            throw Failure(.conflict, "container not running: \(id)")
        }
        guard let location = state.location else {
            throw Failure(.unsupported, "cannot tell what \(id) uses: it has no cgroup of its own")
        }
        return RuntimeEvent(type: "stats", id: id, data: ContainerStatistics(location))
    }

    /// Usage each interval, and when memory has run out, until the container has ended.
    package func follow(
        _ id: String, milliseconds: Int32, _ tell: (RuntimeEvent) throws(Failure) -> Void
    ) throws(Failure) {
        // Refused for the same reasons.
        _ = try statistics(id)
        let directory = try StateDirectory.open(id, in: root)
        let (state, _) = try known(directory)
        _ = consume directory
        guard let location = state.location,
            let process = try during(
                "look for \(id)", { () throws(SystemError) in try state.process?.open() })
        else { return }
        let watch = location.oomFile.flatMap { MemoryWatch($0) }
        let queue = try during("watch \(id)") { () throws(SystemError) in
            let queue = try EventQueue()
            try queue.add(process.raw, .read, token: 1)
            if let watch { try queue.add(watch.raw, .read, token: 2) }
            return queue
        }
        var kills = ContainerStatistics.kills(location)
        while true {
            let events = try during("watch \(id)") { () throws(SystemError) in
                try queue.wait(milliseconds: milliseconds)
            }
            if events.contains(where: { $0.token == 2 }) { watch?.drain() }
            let now = ContainerStatistics.kills(location)
            if now > kills { try tell(RuntimeEvent(type: "oom", id: id, data: nil)) }
            kills = now
            if events.contains(where: { $0.token == 1 }) { return }
            if events.isEmpty {
                try tell(RuntimeEvent(type: "stats", id: id, data: ContainerStatistics(location)))
            }
        }
    }
}

/// An OOMWatch that closures may share.
private final class MemoryWatch {
    private let watch: OOMWatch

    init?(_ file: String) {
        do throws(SystemError) { watch = try OOMWatch(file) } catch { return nil }
    }

    var raw: Int32 { watch.raw }
    func drain() { watch.drain() }
}
