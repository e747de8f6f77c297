package import Failure
internal import LinuxSystem

/// The host's cgroup hierarchies as this process sees them: cgroup v2 alone, v1 alone, or both ("hybrid": v1 with an
/// almost empty cgroup2 beside it).
package struct CgroupLayout: Sendable, Equatable, Codable {
    package enum Mode: String, Sendable, Codable { case unified, hybrid, legacy }

    /// One v1 hierarchy.
    package struct Hierarchy: Sendable, Equatable, Codable {
        /// Where it is mounted on the host, e.g. `/sys/fs/cgroup/cpu,cpuacct`.
        package var mount: String
        /// `["cpu", "cpuacct"]`; one entry `name=systemd` for a named hierarchy.
        package var controllers: [String]
    }

    /// Where cgroup2 is mounted; nil where it is not.
    package var unifiedMount: String?
    /// The controllers that cgroup2's top directory offers.
    package var unifiedControllers: [String]
    package var hierarchies: [Hierarchy]
    /// systemd runs as the machine's init: cgroups are asked of it, not taken.
    package var systemd: Bool
    /// CPUs and memory nodes of v1's cpuset at the top: a new v1 cpuset is empty and holds no process.
    package var cpusetCPUs: String
    package var cpusetNodes: String
    /// cgroup2 weighs block devices by the kernel's cost model (`io.weight`); without it only BFQ does.
    package var hasCostWeight: Bool

    package init(
        unifiedMount: String?, unifiedControllers: [String] = [], hierarchies: [Hierarchy] = [],
        systemd: Bool = false, cpusetCPUs: String = "", cpusetNodes: String = "",
        hasCostWeight: Bool = true
    ) {
        self.unifiedMount = unifiedMount
        self.unifiedControllers = unifiedControllers
        self.hierarchies = hierarchies
        self.systemd = systemd
        self.cpusetCPUs = cpusetCPUs
        self.cpusetNodes = cpusetNodes
        self.hasCostWeight = hasCostWeight
    }

    package var mode: Mode {
        let controlled = hierarchies.contains { $0.controllers.contains { !$0.hasPrefix("name=") } }
        if unifiedMount == nil { return .legacy }
        return controlled ? .hybrid : .unified
    }

    /// The top directories of all hierarchies.
    package var mounts: [String] { (unifiedMount.map { [$0] } ?? []) + hierarchies.map(\.mount) }

    /// The v1 hierarchy that has a controller.
    package func hierarchy(of controller: String) -> Hierarchy? {
        hierarchies.first { $0.controllers.contains(controller) }
    }
}

extension CgroupLayout {
    /// Reads the mounts out of /proc/self/mountinfo (proc(5)). Of two mounts of one hierarchy the first counts.
    package init(mountinfo: String) { self.init(mountinfo: Array(mountinfo.utf8)) }

    /// By bytes: on a host with many mounts this is the longest text that a start reads.
    init(mountinfo: [UInt8]) {
        self.init(unifiedMount: nil)
        for line in mountinfo.split(separator: UInt8(ascii: "\n")) where CgroupLayout.isBelowCgroups(line) {
            // 36 35 98:0 /root /mount/point options [optional…] - type source super-options
            let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard let dash = fields.firstIndex(where: { $0.elementsEqual("-".utf8) }), dash >= 6,
                fields.count >= dash + 4
            else { continue }
            let mount = CgroupLayout.unescaped(fields[4])
            switch String(decoding: fields[dash + 1], as: UTF8.self) {
            case "cgroup2":
                if unifiedMount == nil { unifiedMount = mount }
            case "cgroup":
                let controllers = fields[dash + 3].split(separator: UInt8(ascii: ","))
                    .map { String(decoding: $0, as: UTF8.self) }
                    .filter { $0.hasPrefix("name=") || CgroupLayout.legacyControllers.contains($0) }
                if !controllers.isEmpty, !hierarchies.contains(where: { $0.controllers == controllers }) {
                    hierarchies.append(Hierarchy(mount: mount, controllers: controllers))
                }
            default: continue
            }
        }
    }

    /// Whether the fifth field begins with `/sys/fs/cgroup`.
    private static func isBelowCgroups(_ line: ArraySlice<UInt8>) -> Bool {
        var rest = line
        for _ in 0..<4 {
            guard let space = rest.firstIndex(of: UInt8(ascii: " ")) else { return false }
            rest = rest[(space + 1)...]
        }
        return rest.starts(with: "/sys/fs/cgroup".utf8)
    }

    /// Super-block options that are no controllers (`rw`, `xattr`, `clone_children`) are told by this list.
    private static let legacyControllers = [
        "cpuset", "cpu", "cpuacct", "blkio", "memory", "devices", "freezer", "net_cls", "perf_event",
        "net_prio", "hugetlb", "pids", "rdma", "misc",
    ]

    /// Space, tab, newline and backslash are written as three octal digits.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> String {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest.removeFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// What an ordinary user has of this host: the part that the user's own systemd was given; nil for nothing.
    package static func ofUser(
        _ uid: UInt32, bus: String
    ) throws(Failure) -> (layout: CgroupLayout, manager: CgroupPlacement.UserManager)? {
        var layout = try read()
        let cgroup = "/user.slice/user-\(uid).slice/user@\(uid).service"
        guard layout.mode == .unified, layout.systemd, let mount = layout.unifiedMount, HostFile.exists(bus),
            HostFile.exists("\(mount)\(cgroup)")
        else { return nil }
        // Those that are handed down to it, and with it to the scopes below.
        layout.unifiedControllers = HostFile.words("\(mount)\(cgroup)/cgroup.controllers")
        return (layout, CgroupPlacement.UserManager(cgroup: cgroup, bus: bus))
    }

    /// This host's.
    package static func read() throws(Failure) -> CgroupLayout {
        var layout = CgroupLayout(mountinfo: try HostFile.bytes("/proc/self/mountinfo"))
        layout.systemd = HostFile.exists("/run/systemd/system")
        if let mount = layout.unifiedMount {
            layout.unifiedControllers = HostFile.words("\(mount)/cgroup.controllers")
            if layout.unifiedControllers.contains("io") {
                // Only the top directory has it, and only where the model is in the kernel.
                layout.hasCostWeight = HostFile.exists("\(mount)/io.cost.qos")
            }
        }
        if let cpuset = layout.hierarchy(of: "cpuset") {
            layout.cpusetCPUs = HostFile.words("\(cpuset.mount)/cpuset.cpus").joined(separator: ",")
            layout.cpusetNodes = HostFile.words("\(cpuset.mount)/cpuset.mems").joined(separator: ",")
        }
        if layout.unifiedMount == nil, layout.hierarchies.isEmpty {
            throw Failure(
                .unsupported, "no cgroups are mounted below /sys/fs/cgroup",
                hint: "mount -t cgroup2 cgroup2 /sys/fs/cgroup")
        }
        return layout
    }
}
