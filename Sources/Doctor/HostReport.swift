package import Failure
internal import LinuxSystem
internal import Networks
package import Rootless
package import Runtime

/// What `doctor` looks at, read once; tests say any host.
package struct HostReport: Sendable {
    package struct User: Sendable {
        package var uid: UInt32
        /// nil where /etc/passwd does not have it.
        package var name: String?
        package var subordinateUIDs: UInt64
        package var subordinateGIDs: UInt64
        package var hasMappers: Bool
        package var lingers: Bool
        package var runDirectory: String?
        package var hasBus: Bool
        /// Those of its systemd; nil without one.
        package var delegatedControllers: [String]?
        /// What brings containers to the world; nil where nothing is installed.
        package var network: UserModeNetwork.Kind?
        /// Why /dev/net/tun is not for this user, and what mends it; nil where it is.
        package var deviceFailure: Failure?

        package init(
            uid: UInt32, name: String?, subordinateUIDs: UInt64, subordinateGIDs: UInt64, hasMappers: Bool,
            lingers: Bool, runDirectory: String?, hasBus: Bool, delegatedControllers: [String]?
        ) {
            self.uid = uid
            self.name = name
            self.subordinateUIDs = subordinateUIDs
            self.subordinateGIDs = subordinateGIDs
            self.hasMappers = hasMappers
            self.lingers = lingers
            self.runDirectory = runDirectory
            self.hasBus = hasBus
            self.delegatedControllers = delegatedControllers
        }
    }

    /// uname(2)'s release and version.
    package var release: String
    package var build: String
    package var cgroups: CgroupLayout?
    package var fileSystems: [String]
    /// Contents of files below /proc/sys, by the parameter's name; not there where the host has none.
    package var parameters: [String: String]
    /// nil: AppArmor is off, or cannot be asked.
    package var hasAppArmorProfile: Bool?
    package var hasAppArmorParser = false
    /// nil: SELinux is off.
    package var isSELinuxEnforcing: Bool?
    /// The policy knows containers.
    package var hasContainerPolicy = false
    package var capabilities: CapabilitySet
    /// Of root alone. Chains of the host's firewall that drop what is forwarded and no rule of theirs lets through:
    /// `ip filter FORWARD`. nil where nftables cannot be asked.
    package var forwardDrops: [String]? = []
    /// nil for root.
    package var user: User?

    package init(
        release: String, build: String, cgroups: CgroupLayout?, fileSystems: [String],
        parameters: [String: String], capabilities: CapabilitySet, user: User?
    ) {
        self.release = release
        self.build = build
        self.cgroups = cgroups
        self.fileSystems = fileSystems
        self.parameters = parameters
        self.capabilities = capabilities
        self.user = user
    }

    static let askedParameters = [
        "user.max_user_namespaces", "kernel.unprivileged_userns_clone",
        "kernel.apparmor_restrict_unprivileged_userns", "kernel.seccomp.actions_avail",
        "kernel.keys.maxkeys",
    ]

    /// This host's, as this process sees it.
    package static func read() -> HostReport {
        var parameters: [String: String] = [:]
        for name in askedParameters {
            let path = "/proc/sys/" + String(name.map { $0 == "." ? "/" : $0 })
            if let text = text(path) { parameters[name] = text }
        }
        let status = text("/proc/self/status") ?? ""
        let bounding = status.split(separator: "\n").first { $0.hasPrefix("CapBnd:") }
        let mask = bounding?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        var report = HostReport(
            release: text("/proc/sys/kernel/osrelease") ?? "", build: text("/proc/sys/kernel/version") ?? "",
            cgroups: try? CgroupLayout.read(),
            fileSystems: (text("/proc/filesystems") ?? "").split(separator: "\n").compactMap {
                $0.split(separator: "\t").last.map(String.init)
            },
            parameters: parameters,
            capabilities: CapabilitySet(rawValue: mask),
            user: Process.isRoot ? nil : user(Process.effectiveUID))
        if text("/sys/module/apparmor/parameters/enabled") == "Y" {
            report.hasAppArmorProfile = AppArmor.isLoaded(AppArmor.profileName)
            report.hasAppArmorParser = AppArmor.parser() != nil
        }
        if report.user == nil { report.forwardDrops = forwardDrops() }
        report.isSELinuxEnforcing = text("/sys/fs/selinux/enforce").map { $0 == "1" }
        report.hasContainerPolicy = report.isSELinuxEnforcing != nil && ContainerLabels.ofPolicy() != nil
        return report
    }

    private static func forwardDrops() -> [String]? {
        let names = HostNames(table: "ctr", bridgePrefix: "ctr-", portPrefix: "ctrv")
        guard var rules = try? HostRules(names) else { return nil }
        return try? rules.foreignForwardDrops().map { "\($0.familyName) \($0.table) \($0.name)" }
    }

    private static func user(_ uid: UInt32) -> User {
        let name = UserName.of(uid)
        func count(_ path: String) -> UInt64 {
            SubordinateIDs.read(path, user: name, uid: uid).ranges.reduce(0) { $0 + UInt64($1.count) }
        }
        let session = RootlessSession(uid: uid)
        let path = Process.environmentValue("PATH")
        let manager = "/sys/fs/cgroup/user.slice/user-\(uid).slice/user@\(uid).service/cgroup.controllers"
        let folder = String(session.bus.dropLast("/bus".count))
        var user = User(
            uid: uid, name: name, subordinateUIDs: count("/etc/subuid"),
            subordinateGIDs: count("/etc/subgid"),
            hasMappers: HelperProgram.find("newuidmap", in: path) != nil
                && HelperProgram.find("newgidmap", in: path) != nil,
            lingers: name.map { exists("/var/lib/systemd/linger/\($0)") } ?? false,
            runDirectory: exists(folder) ? folder : nil, hasBus: exists(session.bus),
            delegatedControllers: text(manager).map { $0.split(separator: " ").map(String.init) })
        user.network = UserModeNetwork.find(in: path)?.kind
        do throws(Failure) { try UserModeNetwork.checkDevice() } catch { user.deviceFailure = error }
        return user
    }

    private static func exists(_ path: String) -> Bool { (try? FileDescriptor.exists(path)) ?? false }

    private static func text(_ path: String) -> String? {
        guard let bytes = (try? AtomicFile.read(path, limit: 1 << 20)) ?? nil else { return nil }
        var text = String(decoding: bytes, as: UTF8.self)
        while text.hasSuffix("\n") { text.removeLast() }
        return text
    }
}
