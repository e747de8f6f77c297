internal import Failure
internal import Rootless
internal import Runtime

/// What ails a host that is to run containers, and the line that mends it.
package enum Doctor {
    /// In the order in which a person reads it.
    package static func findings(_ host: HostReport) -> [Finding] {
        kernel(host) + holes(host) + cgroups(host) + security(host)
            + (host.user.map { user($0, host) } ?? root(host))
    }

    private static func kernel(_ host: HostReport) -> [Finding] {
        var found: [Finding] = []
        let version = KernelVersion(release: host.release, build: host.build)
        if version < KernelVersion(6, 1) {
            found.append(
                Finding("kernel", .problem, "kernel \(host.release) is older than 6.1", mend: nil))
        } else {
            found.append(Finding("kernel", .fine, "kernel \(host.release)"))
        }
        if host.fileSystems.contains("overlay") {
            found.append(Finding("overlay", .fine, "overlayfs is there"))
        } else {
            found.append(
                Finding("overlay", .problem, "the kernel has no overlayfs", mend: "modprobe overlay"))
        }
        if host.parameters["kernel.seccomp.actions_avail"] == nil {
            found.append(Finding("seccomp", .problem, "the kernel has no seccomp filters"))
        }
        return found
    }

    /// Known ones that a container can use, by the release that mended them. Distributions mend older releases too, and
    /// write so in the build's version, which counts where it has one.
    private static func holes(_ host: HostReport) -> [Finding] {
        let version = KernelVersion(release: host.release, build: host.build)
        let found = KernelHole.all.filter { $0.isOpen(in: version) }.map { hole in
            Finding(
                hole.name, .warning, "\(hole.name): \(hole.what); mended in \(hole.mended)",
                mend: "install a newer kernel and start it")
        }
        return found.isEmpty
            ? [Finding("kernel-holes", .fine, "none of the known holes that ctr looks for")] : found
    }

    private static func cgroups(_ host: HostReport) -> [Finding] {
        guard let layout = host.cgroups else {
            return [
                Finding(
                    "cgroups", .problem, "no cgroups are mounted below /sys/fs/cgroup",
                    mend: "mount -t cgroup2 cgroup2 /sys/fs/cgroup")
            ]
        }
        var found: [Finding] = []
        switch layout.mode {
        case .unified: found.append(Finding("cgroups", .fine, "cgroup v2"))
        case .hybrid: found.append(Finding("cgroups", .fine, "cgroup v1 with cgroup2 beside it"))
        case .legacy:
            found.append(
                Finding(
                    "cgroups", .warning,
                    "cgroup v1 alone: devices are held by v1's list, and ordinary users have no limits",
                    mend: "add systemd.unified_cgroup_hierarchy=1 to the kernel's command line"))
        }
        let missing = ["memory", "pids", "cpu", "io"].filter { name in
            let legacy = name == "io" ? "blkio" : name
            return !layout.unifiedControllers.contains(name) && layout.hierarchy(of: legacy) == nil
        }
        if !missing.isEmpty {
            found.append(
                Finding(
                    "controllers", .warning,
                    "no \(missing.joined(separator: ", ")) controller: its limits are refused",
                    mend: missing.contains("memory")
                        ? "add cgroup_enable=memory swapaccount=1 to the kernel's command line" : nil))
        }
        found.append(
            layout.systemd
                ? Finding("systemd", .fine, "systemd gives containers their scopes")
                : Finding("systemd", .fine, "no systemd: ctr makes cgroups by itself"))
        return found
    }

    private static func security(_ host: HostReport) -> [Finding] {
        var found: [Finding] = []
        if let isLoaded = host.hasAppArmorProfile { found.append(appArmor(isLoaded, host)) }
        if let isEnforcing = host.isSELinuxEnforcing {
            let mode = isEnforcing ? "enforcing" : "permissive"
            if !host.hasContainerPolicy {
                found.append(
                    Finding(
                        "selinux-policy", .warning,
                        "SELinux is \(mode), but its policy has no types for containers: they get no labels",
                        mend: "dnf install container-selinux"))
            } else if !isEnforcing {
                found.append(
                    Finding(
                        "selinux", .warning,
                        "SELinux is permissive: it tells what it would refuse, and allows it",
                        mend: "setenforce 1"))
            } else {
                found.append(Finding("selinux", .fine, "SELinux is enforcing and holds containers"))
            }
        }
        guard found.isEmpty else { return found }
        return [
            Finding(
                "lsm", .warning,
                "neither AppArmor nor SELinux is on: containers are held by namespaces, capabilities and seccomp",
                mend: nil)
        ]
    }

    private static func appArmor(_ isLoaded: Bool, _ host: HostReport) -> Finding {
        let name = AppArmor.profileName
        if isLoaded { return Finding("apparmor", .fine, "AppArmor holds containers by the profile \(name)") }
        if !host.hasAppArmorParser {
            return Finding(
                "apparmor-parser", .warning,
                "AppArmor is on, but nothing can load the profile \(name): containers run without one",
                mend: "apt-get install apparmor")
        }
        if host.user != nil {
            return Finding(
                "apparmor-profile", .warning,
                "AppArmor is on, but the profile \(name) is not loaded, and only root can do that: containers run without one",
                mend: "ctr system boot")
        }
        return Finding(
            "apparmor", .fine, "AppArmor is on: the first container's start loads the profile \(name)")
    }

    private static func root(_ host: HostReport) -> [Finding] {
        let wanted: [CapabilitySet] = [
            .named("SYS_ADMIN"), .named("NET_ADMIN"), .named("SYS_RESOURCE"), .named("MKNOD"),
        ]
        let missing = wanted.filter { !host.capabilities.isSuperset(of: $0) }.flatMap(\.names)
        if missing.isEmpty {
            return [Finding("capabilities", .fine, "root has what containers need")] + firewall(host)
        }
        let isSevere = missing.contains("CAP_SYS_ADMIN")
        return [
            Finding(
                "capabilities", isSevere ? .problem : .warning,
                "root lacks \(missing.joined(separator: ", ")) here", mend: nil)
        ] + firewall(host)
    }

    /// A packet passes when every table lets it through; what ctr's own allows another can still drop.
    private static func firewall(_ host: HostReport) -> [Finding] {
        guard let drops = host.forwardDrops else {
            return [
                Finding(
                    "nftables", .problem,
                    "the kernel's nftables cannot be asked: containers run with --network none or host alone",
                    mend: "modprobe nf_tables")
            ]
        }
        if drops.isEmpty { return [Finding("firewall", .fine, "no firewall drops what containers send")] }
        return drops.map { chain in
            Finding(
                "firewall", .warning,
                "the firewall's chain \(chain) drops what it does not know: containers do not reach the world, nor it them",
                mend:
                    "nft insert rule \(chain) iifname 'ctr*' accept; nft insert rule \(chain) oifname 'ctr*' accept  # ctr's own table still guards them; firewalld and ufw: by their own settings"
            )
        }
    }

    private static func user(_ user: HostReport.User, _ host: HostReport) -> [Finding] {
        let name = user.name ?? String(user.uid)
        return namespaces(host) + ids(user, name) + network(user) + session(user, name, host)
    }

    private static func namespaces(_ host: HostReport) -> [Finding] {
        var found: [Finding] = []
        if host.parameters["user.max_user_namespaces"] == "0" {
            found.append(
                Finding(
                    "user-namespaces", .problem, "this host allows no user namespaces",
                    mend: "sysctl -w user.max_user_namespaces=28633"))
        }
        if host.parameters["kernel.unprivileged_userns_clone"] == "0" {
            found.append(
                Finding(
                    "unprivileged-userns", .problem, "ordinary users may not make user namespaces",
                    mend: "sysctl -w kernel.unprivileged_userns_clone=1"))
        }
        if host.parameters["kernel.apparmor_restrict_unprivileged_userns"] == "1" {
            found.append(
                Finding(
                    "apparmor-userns", .problem,
                    "AppArmor takes the rights away from user namespaces of ordinary users",
                    mend: "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"))
        }
        return found.isEmpty
            ? [Finding("user-namespaces", .fine, "ordinary users have user namespaces")] : found
    }

    private static func ids(_ user: HostReport.User, _ name: String) -> [Finding] {
        var found: [Finding] = []
        if !user.hasMappers {
            found.append(
                Finding(
                    "newuidmap", .warning,
                    "newuidmap and newgidmap are not installed: containers have one user and one group",
                    mend: "apt-get install uidmap"))
        }
        if user.subordinateUIDs < 65_536 || user.subordinateGIDs < 65_536 {
            found.append(
                Finding(
                    "subuid", .warning,
                    "\(name) has \(user.subordinateUIDs) subordinate uids and \(user.subordinateGIDs) gids: images with more users do not run as they should",
                    mend:
                        "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 \(name)  # a range that nobody else has"
                ))
        }
        return found.isEmpty
            ? [Finding("subuid", .fine, "\(name) has \(user.subordinateUIDs) subordinate uids")] : found
    }

    private static func network(_ user: HostReport.User) -> [Finding] {
        var found: [Finding] = []
        switch user.network {
        case nil:
            found.append(
                Finding(
                    "user-network", .problem,
                    "neither pasta nor slirp4netns is installed: nothing brings containers to the world",
                    mend: "apt-get install passt"))
        case .slirp4netns?:
            found.append(
                Finding(
                    "user-network", .warning,
                    "containers reach the world by slirp4netns, which publishes no port on IPv6",
                    mend: "apt-get install passt"))
        case .pasta?: found.append(Finding("user-network", .fine, "containers reach the world by pasta"))
        }
        if let failure = user.deviceFailure {
            found.append(
                Finding(
                    "tun", .problem, "\(failure.message): nothing brings containers to the world",
                    mend: failure.hint))
        }
        return found
    }

    private static func session(_ user: HostReport.User, _ name: String, _ host: HostReport) -> [Finding] {
        guard host.cgroups?.systemd == true else {
            return [
                Finding(
                    "delegation", .warning,
                    "no systemd gives \(name) cgroups: containers have no limits", mend: nil)
            ]
        }
        var found: [Finding] = []
        if user.runDirectory == nil || !user.hasBus {
            found.append(
                Finding(
                    "session", .warning, "\(name) has no login session of systemd: containers have no limits",
                    mend: "loginctl enable-linger \(name)  # then log in again, not by su"))
        }
        let missing = ["cpu", "cpuset", "io", "memory", "pids"].filter {
            user.delegatedControllers?.contains($0) != true
        }
        if user.delegatedControllers != nil, !missing.isEmpty {
            found.append(
                Finding(
                    "delegation", .warning, "\(name) may not limit \(missing.joined(separator: ", "))",
                    mend:
                        "mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' >/etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload  # then log in again"
                ))
        }
        if !user.lingers {
            found.append(
                Finding(
                    "linger", .warning, "containers of \(name) end when the last session does",
                    mend: "loginctl enable-linger \(name)"))
        }
        return found.isEmpty
            ? [Finding("session", .fine, "systemd gives \(name) all controllers, and keeps containers")]
            : found
    }
}

extension CapabilitySet {
    fileprivate static func named(_ name: String) -> CapabilitySet { CapabilitySet(name: name) ?? [] }
}
