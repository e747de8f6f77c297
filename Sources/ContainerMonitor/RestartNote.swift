internal import LaunchPlan
internal import LinuxSystem

/// `restart` in the run directory: the policy that `ctr update` gave a container that runs, in docker's words.
package enum RestartNote {
    package static let fileName = "restart"

    /// nil where there is none.
    static func read(in runDirectory: Int32) -> MonitorPlan.Restart? {
        guard let bytes = (try? AtomicFile.read(fileName, in: runDirectory, limit: 256)) ?? nil else {
            return nil
        }
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: ":")
        switch parts.first {
        case "no": return .no
        case "always": return .always
        case "unless-stopped": return .unlessStopped
        case "on-failure": return .onFailure(maximumTries: parts.count > 1 ? UInt32(parts[1]) ?? 0 : 0)
        default: return nil
        }
    }
}
