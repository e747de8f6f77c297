package import Failure
internal import LinuxSystem
package import OCI

/// From what the flags mean to an OCI runtime spec: docker's rules, no input or output.
package enum SpecBuilder {
    /// - Parameter host: what docker looks up on the machine.
    /// - Returns: a spec whose root is `rootfs` and whose seccomp is absent for the built-in profile and for
    ///   `unconfined` (the compiled filter is given to the planner by who knows its file).
    /// - Throws: `invalidArgument` and `unsupported`, naming the flag.
    package static func build(_ options: SpecOptions, host: HostFacts) throws(Failure) -> RuntimeSpec {
        let security = try SecurityOptions(options.securityOptions)
        let granted = try CapabilitySet.granted(
            add: options.capAdd, drop: options.capDrop, privileged: options.privileged,
            available: host.capabilities)
        var process = try process(options, security: security, granted: granted, host: host)
        if options.oomScoreAdjustment != 0 { process.oomScoreAdj = options.oomScoreAdjustment }

        var linux = RuntimeSpec.Linux()
        linux.namespaces = try namespaces(options.namespaces, host: host)
        linux.uidMappings = mappings(options.ids?.uids)
        linux.gidMappings = mappings(options.ids?.gids)
        linux.resources = try resources(options, host: host)
        linux.devices = try devices(options)
        linux.sysctl = try sysctls(options, host: host)
        if !options.privileged {
            if !security.systemPathsUnconfined {
                linux.maskedPaths =
                    ContainerDefaults.maskedPaths.filter { !security.unmask(covers: $0) }
                    + (security.unmask(covers: "/sys/devices/system/cpu") ? [] : host.thermalThrottlePaths)
                    + security.masked
                linux.readonlyPaths = (ContainerDefaults.readOnlyPaths + ContainerDefaults.kernelSwitches)
                    .filter { !security.unmask(covers: $0) }
            } else if !security.masked.isEmpty {
                linux.maskedPaths = security.masked
            }
        }
        if case .profile(let profile) = options.seccomp, !options.privileged {
            linux.seccomp = try resolved(profile, granted)
        }
        linux.rootfsPropagation = rootPropagation(options.mounts)
        if host.seLinux, !options.mountLabel.isEmpty { linux.mountLabel = options.mountLabel }

        var spec = RuntimeSpec(
            root: RuntimeSpec.Root(path: "rootfs", readonly: options.readOnlyRoot ? true : nil),
            process: process, mounts: mounts(options), linux: linux)
        // docker's number of the group tty.
        if host.hasOneID || options.ids.map({ $0.gids.outside(5) == nil }) == true {
            // The terminals' group is not there.
            spec.mounts = spec.mounts?.map { mount in
                var mount = mount
                if mount.type == "devpts" { mount.options?.removeAll { $0.hasPrefix("gid=") } }
                return mount
            }
        }
        if host.seLinux, security.labels.isNested {
            let policy = "/sys/fs/selinux"
            spec.mounts?.append(
                RuntimeSpec.Mount(destination: policy, type: "bind", source: policy, options: ["rbind"]))
        }
        if !options.annotations.isEmpty { spec.annotations = options.annotations }
        if options.namespaces.uts == .private {
            spec.hostname = options.hostname.isEmpty ? nil : options.hostname
            spec.domainname = options.domainname.isEmpty ? nil : options.domainname
        } else if options.namespaces.uts == .host, !options.domainname.isEmpty {
            throw Failure(.invalidArgument, "--domainname cannot be set with --uts host")
        }
        return spec
    }

    /// What `exec` needs of the spec that the container runs by: its process and its namespaces.
    package static func buildForExec(_ options: SpecOptions, host: HostFacts) throws(Failure) -> RuntimeSpec {
        let granted = try CapabilitySet.granted(
            add: options.capAdd, drop: options.capDrop, privileged: options.privileged,
            available: host.capabilities)
        var linux = RuntimeSpec.Linux()
        linux.namespaces = try namespaces(options.namespaces, host: host)
        if case .profile(let profile) = options.seccomp, !options.privileged {
            linux.seccomp = try resolved(profile, granted)
        }
        return RuntimeSpec(
            process: try process(
                options, security: try SecurityOptions(options.securityOptions), granted: granted, host: host),
            linux: linux)
    }

    private static func resolved(
        _ profile: SeccompProfile, _ granted: CapabilitySet
    ) throws(Failure) -> RuntimeSpec.Seccomp {
        try profile.resolved(
            capabilities: Set(granted.names), architecture: Machine.architecture, kernel: Machine.kernel())
    }

    private static func process(
        _ options: SpecOptions, security: SecurityOptions, granted: CapabilitySet, host: HostFacts
    ) throws(Failure) -> RuntimeSpec.Process {
        guard !options.arguments.isEmpty, options.arguments[0] != "" else {
            throw Failure(
                .invalidArgument, "no command specified",
                hint: "the image has neither ENTRYPOINT nor CMD: give a command after the image")
        }
        guard options.workingDirectory.hasPrefix("/") else {
            throw Failure(
                .invalidArgument,
                "the working directory \"\(options.workingDirectory)\" is invalid, it needs to be an absolute path"
            )
        }
        var process = RuntimeSpec.Process(
            args: options.arguments, env: environment(options), cwd: options.workingDirectory,
            user: options.user.specUser, terminal: options.terminal ? true : nil)
        if options.rows > 0, options.columns > 0 {
            process.consoleSize = RuntimeSpec.ConsoleSize(
                height: UInt64(options.rows), width: UInt64(options.columns))
        }
        process.capabilities = capabilities(granted, uid: options.user.uid)
        process.noNewPrivileges = security.noNewPrivileges ? true : nil
        process.rlimits = try limits(options.limits)
        if host.seLinux, !options.processLabel.isEmpty { process.selinuxLabel = options.processLabel }
        let profile = security.appArmor ?? (options.privileged ? nil : options.defaultAppArmorProfile)
        if let profile, profile != "unconfined" {
            guard host.appArmor else {
                throw Failure(
                    .unsupported, "--security-opt apparmor=\(profile): AppArmor is not enabled on this host")
            }
            process.apparmorProfile = profile
        }
        return process
    }

    /// A user other than root starts without any: what execve would leave it with, told from the beginning.
    static func capabilities(_ granted: CapabilitySet, uid: UInt32) -> RuntimeSpec.Capabilities {
        let held = uid == 0 ? granted.names : []
        return RuntimeSpec.Capabilities(bounding: granted.names, effective: held, permitted: held)
    }

    /// docker's order: PATH, HOSTNAME, TERM, then image and flags over them; HOME from passwd where none is given.
    static func environment(_ options: SpecOptions) -> [String] {
        var base = ["PATH=\(ContainerDefaults.searchPath)"]
        if !options.hostname.isEmpty { base.append("HOSTNAME=\(options.hostname)") }
        if options.terminal { base.append("TERM=xterm") }
        return environment(base, changes: options.environment, home: options.user.home)
    }

    static func environment(_ base: [String], changes: [String], home: String) -> [String] {
        var names: [Substring] = base.map { $0.prefix { $0 != "=" } }
        var entries: [String?] = base
        for change in changes {
            let name = change.prefix { $0 != "=" }
            let value: String? = change.contains("=") ? change : nil
            if let known = names.firstIndex(of: name) {
                entries[known] = value
            } else if value != nil {
                names.append(name)
                entries.append(value)
            }
        }
        var result = entries.compactMap { $0 }
        if !result.contains(where: { $0.hasPrefix("HOME=") && $0 != "HOME=" }) {
            result.removeAll { $0 == "HOME=" }
            result.append("HOME=\(home)")
        }
        return result
    }

    private static func namespaces(_ modes: SpecOptions.Namespaces, host: HostFacts) throws(Failure)
        -> [RuntimeSpec.Namespace]
    {
        let all: [(RuntimeSpec.Namespace.Kind, SpecOptions.NamespaceMode, String)] = [
            (.network, modes.network, "network"), (.time, modes.time, "time"), (.uts, modes.uts, "uts"),
            (.pid, modes.pid, "pid"), (.ipc, modes.ipc, "ipc"), (.cgroup, modes.cgroup, "cgroupns"),
            (.user, modes.user, "userns"),
        ]
        var result = [RuntimeSpec.Namespace(.mount)]
        for (kind, mode, flag) in all {
            switch mode {
            case .host: continue
            case .joined(let path): result.append(RuntimeSpec.Namespace(kind, path: path))
            case .private:
                // Without them in the kernel the clock offsets are the host's: nothing is lost.
                if kind == .time, !host.timeNamespaces { continue }
                result.append(RuntimeSpec.Namespace(kind))
            case .shareable:
                guard kind == .ipc else {
                    throw Failure(.invalidArgument, "--\(flag) shareable: only --ipc can be shareable")
                }
                result.append(RuntimeSpec.Namespace(kind))
            case .none:
                guard kind == .ipc || kind == .network else {
                    throw Failure(.invalidArgument, "--\(flag) none: only --ipc and --network can be none")
                }
                result.append(RuntimeSpec.Namespace(kind))
            }
        }
        return result
    }

    private static func mappings(_ map: IDMap?) -> [RuntimeSpec.IDMapping]? {
        map?.ranges.map {
            RuntimeSpec.IDMapping(containerID: $0.inside, hostID: $0.outside, size: $0.count)
        }
    }

    /// A user's mount replaces the default one at its place; one at /dev replaces all below it.
    private static func mounts(_ options: SpecOptions) -> [RuntimeSpec.Mount] {
        let own = Set(options.mounts.map(\.destination))
        var mounts: [RuntimeSpec.Mount] = []
        for var mount in ContainerDefaults.mounts where !own.contains(mount.destination) {
            if own.contains("/dev"), mount.destination.hasPrefix("/dev/") { continue }
            if mount.destination == "/dev/shm" {
                if options.namespaces.ipc == .none { continue }
                mount.options?.append("size=\(options.shmSize)")
            }
            if options.privileged, mount.destination == "/sys" || mount.type == "cgroup" {
                mount.options?.removeAll { $0 == "ro" }
            }
            mounts.append(mount)
        }
        // Shorter destinations first, so that no mount hides one made before it.
        let depth = { (path: String) in path.split(separator: "/").count }
        return mounts
            + options.mounts.enumerated().sorted {
                (depth($0.element.destination), $0.offset) < (depth($1.element.destination), $1.offset)
            }.map(\.element)
    }

    /// A shared or slave volume needs a root that lets its mounts through.
    private static func rootPropagation(_ mounts: [RuntimeSpec.Mount]) -> String? {
        let asked = Set(mounts.flatMap { $0.options ?? [] })
        if asked.contains("shared") || asked.contains("rshared") { return "shared" }
        if asked.contains("slave") || asked.contains("rslave") { return "rslave" }
        return nil
    }
}

extension SpecBuilder {
    /// What `exec` runs in a container: the container's own process with another command, and what the flags change.
    ///
    /// - Parameters:
    ///   - container: the spec that the container runs by.
    ///   - user: nil keeps the container's.
    package static func execProcess(
        in container: RuntimeSpec, arguments: [String], environment changes: [String] = [],
        workingDirectory: String? = nil, user: UserIdentity? = nil, terminal: Bool = false,
        privileged: Bool = false, host: HostFacts
    ) throws(Failure) -> RuntimeSpec.Process {
        guard var process = container.process else {
            throw Failure(
                .invalidArgument, "the container's config.json has no process to take exec's settings from")
        }
        if let workingDirectory, !workingDirectory.hasPrefix("/") {
            throw Failure(.invalidArgument, "--workdir \(workingDirectory): it needs to be an absolute path")
        }
        let identity = user ?? UserIdentity(process.user)
        process.args = arguments
        process.cwd = workingDirectory ?? process.cwd
        process.terminal = terminal ? true : nil
        process.consoleSize = nil
        process.user = identity.specUser
        process.user?.umask = container.process?.user?.umask
        // HOME is the new user's, unless the image or a flag says another.
        var base = process.env ?? []
        if user != nil { base.removeAll { $0.hasPrefix("HOME=") } }
        if terminal, !base.contains(where: { $0.hasPrefix("TERM=") }) { base.append("TERM=xterm") }
        process.env = environment(base, changes: changes, home: identity.home)
        let granted =
            privileged
            ? CapabilitySet.all.intersection(host.capabilities)
            : CapabilitySet(specNames: process.capabilities?.bounding)
        process.capabilities = capabilities(granted, uid: identity.uid)
        return process
    }
}
