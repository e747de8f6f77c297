package import Failure
internal import LinuxSystem

/// What a spec and a plan depend on beside what the user asked for: read once, handed to pure functions, so that
/// tests can say any host.
package struct HostFacts: Sendable, Equatable {
    /// The capabilities that ctr may hand on: its bounding and permitted ones.
    package var capabilities: CapabilitySet
    package var cgroups: CgroupLayout
    /// /sys/devices/system/cpu/cpuN/thermal_throttle of each CPU that has it; docker masks them.
    package var thermalThrottlePaths: [String]
    package var timeNamespaces: Bool
    /// ctr's own oom_score_adj.
    package var oomScoreAdjustment: Int32
    package var appArmor: Bool
    package var seLinux = false
    /// ctr itself is in a user namespace: the host's devices and some of its files are out of reach.
    package var inUserNamespace = false
    /// That namespace has one id: no file system can belong to another.
    package var hasOneID = false
    /// Kernel parameters that docker sets by default in a new network namespace, as far as they exist.
    package var networkParameters: [String]

    package init(
        capabilities: CapabilitySet = .all, cgroups: CgroupLayout, thermalThrottlePaths: [String] = [],
        timeNamespaces: Bool = true, oomScoreAdjustment: Int32 = 0, appArmor: Bool = false,
        networkParameters: [String] = HostFacts.defaultNetworkParameters
    ) {
        self.capabilities = capabilities
        self.cgroups = cgroups
        self.thermalThrottlePaths = thermalThrottlePaths
        self.timeNamespaces = timeNamespaces
        self.oomScoreAdjustment = oomScoreAdjustment
        self.appArmor = appArmor
        self.networkParameters = networkParameters
    }

    package static let defaultNetworkParameters = [
        "net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range",
    ]

    /// Of the process alone, for `exec`: what is the container's was settled at its start.
    package static func ofThisProcess() throws(Failure) -> HostFacts {
        var facts = HostFacts(
            capabilities: try heldCapabilities(), cgroups: CgroupLayout(unifiedMount: nil),
            timeNamespaces: HostFile.exists("/proc/self/ns/time"), oomScoreAdjustment: ownScoreAdjustment())
        facts.inUserNamespace = UserNamespace.isNested
        facts.hasOneID = UserNamespace.hasOneID
        return facts
    }

    private static func heldCapabilities() throws(Failure) -> CapabilitySet {
        let status = try HostFile.bytes("/proc/self/status")
        return CapabilitySet(rawValue: mask("CapBnd:", in: status) & mask("CapPrm:", in: status))
    }

    private static func ownScoreAdjustment() -> Int32 {
        Int32(HostFile.words("/proc/self/oom_score_adj").first ?? "") ?? 0
    }

    /// This host's; some fifteen small reads of /proc and /sys.
    package static func read() throws(Failure) -> HostFacts {
        let parameters = defaultNetworkParameters.filter {
            HostFile.exists("/proc/sys/" + String($0.map { $0 == "." ? "/" : $0 }))
        }
        var facts = HostFacts(
            capabilities: try heldCapabilities(), cgroups: try CgroupLayout.read(),
            thermalThrottlePaths: thermalThrottles(),
            timeNamespaces: HostFile.exists("/proc/self/ns/time"),
            oomScoreAdjustment: ownScoreAdjustment(),
            appArmor: hasAppArmor(),
            networkParameters: parameters)
        facts.inUserNamespace = UserNamespace.isNested
        facts.hasOneID = UserNamespace.hasOneID
        facts.seLinux = hasSELinux()
        return facts
    }

    package static func hasAppArmor() -> Bool {
        HostFile.words("/sys/module/apparmor/parameters/enabled").first == "Y"
    }

    package static func hasSELinux() -> Bool { HostFile.exists("/sys/fs/selinux/enforce") }

    /// `CapPrm:\t000001ffffffffff`
    private static func mask(_ name: String, in status: [UInt8]) -> UInt64 {
        for line in status.split(separator: UInt8(ascii: "\n")) where line.starts(with: name.utf8) {
            let digits = line.dropFirst(name.utf8.count).drop { $0 == UInt8(ascii: "\t") }
            return UInt64(String(decoding: digits, as: UTF8.self), radix: 16) ?? 0
        }
        return 0
    }

    private static func thermalThrottles() -> [String] {
        let range = HostFile.words("/sys/devices/system/cpu/possible").first ?? "0"
        let last = range.split(separator: ",").last?.split(separator: "-").last.flatMap { Int($0) } ?? 0
        return (0...max(0, min(last, 8191))).map { "/sys/devices/system/cpu/cpu\($0)/thermal_throttle" }
            .filter {
                HostFile.exists($0)
            }
    }
}

/// Small files of /proc and /sys.
enum HostFile {
    static func bytes(_ path: String) throws(Failure) -> [UInt8] {
        let bytes: [UInt8]?
        do throws(SystemError) {
            bytes = try AtomicFile.read(path)
        } catch {
            throw Failure(error)
        }
        guard let bytes else { throw Failure(.notFound, "\(path): there is no such file") }
        return bytes
    }

    /// The words of a file; none where it cannot be read.
    static func words(_ path: String) -> [String] {
        guard let bytes = try? bytes(path) else { return [] }
        return bytes.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\t") }
            .map { String(decoding: $0, as: UTF8.self) }
    }

    static func exists(_ path: String) -> Bool {
        (try? LinuxSystem.FileDescriptor.exists(path)) ?? false
    }
}
