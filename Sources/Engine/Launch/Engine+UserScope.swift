internal import LaunchPlan
internal import LinuxSystem
internal import Rootless

extension Engine {
    /// What brings this process to where an ordinary user may give processes to cgroups; nil where it is there.
    ///
    /// cgroup v2 moves a process only for who may write to the nearest directory above both places, and above a login
    /// session and the user's own systemd that is root's. A scope of that systemd is the way over.
    static func userScope(for directory: String) -> CgroupStep? {
        guard let session = RootlessSession.current, !directory.isEmpty else { return nil }
        let uid = UserNamespace.outerUID
        let own = (try? AtomicFile.read("/proc/self/cgroup", limit: 1 << 16)) ?? nil
        let part = "/user@\(uid).service/"
        guard directory.contains(part), !String(decoding: own ?? [], as: UTF8.self).contains(part) else {
            return nil
        }
        return .startScope(
            name: "ctr-exec-\(Process.pid())-\(randomHex(bytes: 4)).scope", slice: "app.slice",
            description: "ctr exec", bus: session.bus)
    }
}
