package import Failure
internal import LaunchPlan
package import OCI

extension Planner {
    /// What runtime-spec has and this host or ctr has not, by its field. What is not here is done.
    static func refuse(_ spec: RuntimeSpec, _ host: HostFacts) throws(Failure) {
        let linux = spec.linux
        if let process = spec.process { try refuseLabels(process, host) }
        let lacks: [(field: String, isAsked: Bool, lack: String)] = [
            ("linux.mountLabel", linux?.mountLabel?.isEmpty == false && !host.seLinux, "SELinux is off"),
            (
                "linux.personality.flags", linux?.personality?.flags?.isEmpty == false,
                "there are none in the specification"
            ),
        ]
        for entry in lacks where entry.isAsked {
            throw Failure(.unsupported, "config.json: \(entry.field): \(entry.lack)")
        }
        for (key, _) in linux?.sysctl ?? [:] {
            let kind = Sysctl.namespace(of: key)
            guard let kind, linux?.namespaces?.contains(where: { $0.type == kind }) == true else {
                throw Failure(
                    .invalidArgument,
                    "config.json: linux.sysctl: \(key) is not of a namespace of the container: it would change the host"
                )
            }
        }
    }

    /// The kind of namespace that a kernel parameter belongs to; nil for the host's.
    package static func namespace(ofParameter key: String) -> RuntimeSpec.Namespace.Kind? {
        Sysctl.namespace(of: key)
    }

    /// A label that nobody would enforce. "unconfined" is what everything is where AppArmor is off.
    package static func refuseLabels(_ process: RuntimeSpec.Process, _ host: HostFacts) throws(Failure) {
        if process.selinuxLabel?.isEmpty == false, !host.seLinux {
            throw Failure(.unsupported, "config.json: process.selinuxLabel: SELinux is off")
        }
        if ![nil, "", "unconfined"].contains(process.apparmorProfile), !host.appArmor {
            throw Failure(.unsupported, "config.json: process.apparmorProfile: AppArmor is off")
        }
    }

    /// What the specification wants to be logged, and what is passed over without an error.
    package static func warnings(_ spec: RuntimeSpec, _ host: HostFacts) -> [String] {
        var warnings: [String] = []
        let inUserNamespace = spec.linux?.namespaces?.contains { $0.type == .user } == true
        if let process = spec.process {
            warnings += self.warnings(process, inUserNamespace: inUserNamespace, host)
        }
        for (index, mount) in (spec.mounts ?? []).enumerated() {
            // mount(2) takes no parameters of the file system there.
            let options = MountOptions(mount.options ?? [])
            guard options.isBind || mount.type == "bind" else { continue }
            for option in options.data where !MountOptions.superblockFlags.contains(option.key) {
                warnings.append("mounts.\(index): \(option.key): not an option of a bind mount, ignored")
            }
        }
        return warnings
    }

    /// - Parameter inUserNamespace: the container is.
    package static func warnings(
        _ process: RuntimeSpec.Process, inUserNamespace: Bool, _ host: HostFacts
    ) -> [String] {
        let granted = GrantedCapabilities(
            process.capabilities, inUserNamespace: inUserNamespace, host)
        guard !granted.refused.isEmpty else { return [] }
        return [
            "process.capabilities: \(granted.refused.joined(separator: ", ")): unknown, or not to be granted here; left out"
        ]
    }

    /// 2^32-1 is no id: setresuid(2) takes it for "as it is", which is root's (CVE-2024-40635).
    static func refuse(_ user: RuntimeSpec.User?) throws(Failure) {
        let ids =
            [("uid", user?.uid ?? 0), ("gid", user?.gid ?? 0)]
            + (user?.additionalGids ?? []).map {
                ("additionalGids", $0)
            }
        for (field, id) in ids where id == UInt32.max {
            throw Failure(.invalidArgument, "config.json: process.user.\(field): \(id) is no id")
        }
    }

    /// Files that programs like lxcfs put in the place of the kernel's.
    private static let placesInProc: Set<String> = [
        "cpuinfo", "diskstats", "loadavg", "meminfo", "net/dev", "slabinfo", "stat", "swaps",
        "sys/crypto/fips_enabled", "sys/kernel/ns_last_pid", "uptime",
    ]

    /// What an image or a caller puts over /proc, or into it, is no procfs: masks, labels and sysctls would be of that
    /// (CVE-2019-16884, CVE-2019-19921, CVE-2023-28642).
    static func refuseOverProc(_ target: String, isProc: Bool) throws(Failure) {
        var names: [Substring] = []
        for name in target.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        guard names.first == "proc" else { return }
        let place = names.dropFirst().joined(separator: "/")
        guard place.isEmpty ? isProc : placesInProc.contains(place) else {
            throw Failure(
                .invalidArgument,
                place.isEmpty
                    ? "only a procfs is mounted at /proc"
                    : "nothing is mounted inside /proc, which is the kernel's")
        }
    }
}
