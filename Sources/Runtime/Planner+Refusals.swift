internal import Failure
internal import OCI

extension Planner {
    /// What runtime-spec has and this host or ctr has not, by its field. What is not here is done.
    static func refuse(_ spec: RuntimeSpec, _ host: HostFacts) throws(Failure) {
        let linux = spec.linux
        let lacks: [(field: String, isAsked: Bool, lack: String)] = [
            ("linux.mountLabel", linux?.mountLabel?.isEmpty == false && !host.seLinux, "SELinux is off"),
            (
                "process.selinuxLabel", spec.process?.selinuxLabel?.isEmpty == false && !host.seLinux,
                "SELinux is off"
            ),
            (
                "process.apparmorProfile",
                ![nil, "", "unconfined"].contains(spec.process?.apparmorProfile) && !host.appArmor,
                "AppArmor is off"
            ),
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
