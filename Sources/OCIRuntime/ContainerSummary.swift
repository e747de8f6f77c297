internal import CivilTime
internal import LinuxSystem
package import OCI

/// A container as `state` and `list` show it: runtime.md's state, and what other runtimes print beside it.
package struct ContainerSummary: Encodable, Sendable {
    package let ociVersion: String
    package let id: String
    package let pid: Int32
    package let status: RuntimeState.Status
    package let bundle: String
    package let rootfs: String
    /// RFC 3339.
    package let created: String
    package let annotations: [String: String]?
    package let owner: String

    init(id: String, _ state: StoredState?, _ status: RuntimeState.Status) {
        ociVersion = RuntimeSpec.version
        self.id = id
        self.status = status
        pid = status == .stopped ? 0 : state?.process?.pid ?? 0
        bundle = state?.bundle ?? ""
        rootfs = state?.rootfs ?? ""
        created = ContainerSummary.text(state?.created ?? 0)
        annotations = state.flatMap { $0.annotations.isEmpty ? nil : $0.annotations }
        owner = state.map { $0.owner == 0 ? "root" : String($0.owner) } ?? ""
    }

    private static func text(_ nanoseconds: Int64) -> String {
        let time = CivilTime(secondsSinceEpoch: nanoseconds / 1_000_000_000)
        return "\(time.date)T\(time.clock).\(CivilTime.padded(nanoseconds % 1_000_000_000, 9))Z"
    }
}
