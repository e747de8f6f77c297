package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import Runtime
internal import Volumes

/// What the host's security modules do for containers.
extension Engine {
    // MARK: AppArmor

    /// The profile of what names none. Root loads it where the kernel has it not, at the first start after a boot; an
    /// ordinary user has it if root has. nil where AppArmor is off or cannot be asked, and where nothing is installed
    /// that could load it.
    ///
    /// - Throws: what kept it from being loaded: less than what was there before is not given without a word.
    package func loadAppArmorProfile() throws(Failure) -> String? {
        try defaultAppArmorProfile(try hostFacts())
    }

    func defaultAppArmorProfile(_ host: HostFacts) throws(Failure) -> String? {
        guard host.appArmor, let isLoaded = AppArmor.isLoaded(AppArmor.profileName) else { return nil }
        if isLoaded { return AppArmor.profileName }
        guard !host.inUserNamespace, host.capabilities.isSuperset(of: CapabilitySet(name: "MAC_ADMIN") ?? []),
            let parser = AppArmor.parser()
        else { return nil }
        try AppArmor.load(by: parser)
        return AppArmor.profileName
    }

    /// One that was asked for and that the kernel has not.
    func checkProfile(_ spec: RuntimeSpec) throws(Failure) {
        guard let name = spec.process?.apparmorProfile, name != AppArmor.profileName,
            AppArmor.isLoaded(name) == false
        else { return }
        throw Failure(
            .notFound, "--security-opt apparmor=\(name): the kernel has no such AppArmor profile",
            hint: "\"apparmor_parser -r FILE\" loads one")
    }

    /// An exec is held as the container's first process is.
    func confine(
        _ options: inout SpecOptions, as pid: Int32, _ host: inout HostFacts
    ) throws(Failure) {
        if let profile = AppArmor.profile(ofProcess: pid) {
            options.defaultAppArmorProfile = profile
            host.appArmor = true
        }
        host.seLinux = !options.processLabel.isEmpty && HostFacts.hasSELinux()
    }

    /// As `inspect` shows it: of a running container what holds it, else what would.
    package func appArmorProfile(of container: ContainerSummary) -> String {
        let settings = container.record.settings
        if container.state.isRunning, container.state.pid > 0 {
            return AppArmor.profile(ofProcess: container.state.pid)
                ?? ((try? hostFacts())?.appArmor == true ? "unconfined" : "")
        }
        for option in settings.securityOptions
        where option.hasPrefix("apparmor=") || option.hasPrefix("apparmor:") {
            return String(option.dropFirst("apparmor=".count))
        }
        guard (try? hostFacts())?.appArmor == true else { return "" }
        return settings.privileged || AppArmor.isLoaded(AppArmor.profileName) != true
            ? "unconfined" : AppArmor.profileName
    }

    // MARK: SELinux

    /// The contexts of a new container, by docker's rules. Without SELinux there are none.
    func chooseLabels(for record: inout ContainerRecord, _ host: HostFacts) throws(Failure) {
        let settings = record.settings
        let options = try LabelOptions(securityOptions: settings.securityOptions)
        guard host.seLinux, let policy = ContainerLabels.ofPolicy() else { return }
        try labelLayers(policy)
        var isDisabled = options.isDisabled || settings.privileged
        // Its processes and theirs see each other.
        if settings.pid == "host" || settings.ipc == "host" { isDisabled = true }
        var level = options.level
        for mode in [settings.pid, settings.ipc] where mode.hasPrefix("container:") {
            let other = try container(String(mode.dropFirst("container:".count)))
            if let context = SELinuxContext(other.settings.processLabel) {
                level = level ?? context.level
            } else {
                isDisabled = true
            }
        }
        guard !isDisabled else {
            var files = policy.files
            files.level = ContainerLabels.reservedLevel
            record.settings.mountLabel = files.description
            return
        }
        if level == nil { level = try takeLevel(for: record.id) }
        let labels = options.labels(of: policy, level: level ?? "s0")
        record.settings.processLabel = labels.process.description
        record.settings.mountLabel = labels.files.description
    }

    /// What is mapped into memory is judged by the layer's own file below the overlay's: all containers may read layers, and
    /// new ones get the label of the directory that they are made in.
    private func labelLayers(_ policy: ContainerLabels) throws(Failure) {
        var label = policy.files.shared
        label.type = "container_ro_file_t"
        let path = "\(rootPath)/layers"
        guard (try? FileDescriptor.exists(path)) ?? false else { return }
        try TreeLabel.set(label.description, on: path)
    }

    /// Two categories that no other container of this root has: `levels/c17.c501` leads to the container.
    private func takeLevel(for id: String) throws(Failure) -> String {
        let raw = root.descriptor.raw
        return try during("choose the container's SELinux categories") { () throws(SystemError) in
            try Directory.ensure("levels", in: raw)
            var failure: SystemError?
            for _ in 0..<1000 {
                guard
                    let level = ContainerLabels.level(
                        first: .random(in: 0..<ContainerLabels.categories),
                        second: .random(in: 0..<ContainerLabels.categories))
                else { continue }
                let name = Engine.levelName(level)
                do throws(SystemError) {
                    try Directory.symlink("../containers/\(id)", at: name, in: raw)
                    return level
                } catch {
                    guard error.code == .alreadyExists else { throw error }
                    failure = error
                    if try isFree(name) { try Directory.removeFile(name, in: raw) }
                }
            }
            throw failure ?? .notEmpty("levels")
        }
    }

    private func isFree(_ name: String) throws(SystemError) -> Bool {
        let raw = root.descriptor.raw
        do throws(SystemError) {
            let target = try Directory.readLink(name, in: raw).shown
            let id = target.dropFirst("../containers/".count)
            if try FileDescriptor.exists("containers/\(id)", in: raw) { return false }
            return try !FileDescriptor.exists("containers/.new/\(id)", in: raw)
        } catch {
            if error.code == .notFound { return true }
            throw error
        }
    }

    private static func levelName(_ level: String) -> String {
        "levels/" + level.dropFirst("s0:".count).split(separator: ",").joined(separator: ".")
    }

    /// When the container goes.
    func releaseLevel(of record: ContainerRecord) {
        guard let context = SELinuxContext(record.settings.processLabel) else { return }
        let name = Engine.levelName(context.level)
        let raw = root.descriptor.raw
        guard let target = try? Directory.readLink(name, in: raw), target.shown.hasSuffix(record.id) else {
            return
        }
        try? Directory.removeFile(name, in: raw)
    }

    /// The host's context for what all containers may share, and whether there is one.
    private func fileLabel(of record: ContainerRecord, shared: Bool) throws(Failure) -> String? {
        guard !record.settings.mountLabel.isEmpty, try hostFacts().seLinux else { return nil }
        return shared
            ? SELinuxContext(record.settings.mountLabel)?.shared.description : record.settings.mountLabel
    }

    /// The root's, while the host has SELinux.
    func rootLabel(of record: ContainerRecord) throws(Failure) -> String? {
        try fileLabel(of: record, shared: false)
    }

    /// ctr's own files that the container uses: hosts and its kin, secrets, its standard streams.
    func labelFiles(of record: ContainerRecord) throws(Failure) {
        guard let label = try fileLabel(of: record, shared: false) else { return }
        for name in NetworkFiles.names { try TreeLabel.set(label, on: path(of: record, name)) }
        try TreeLabel.set(label, on: runDirectory(of: record.id))
    }

    /// `z`, `Z`; a volume is shared without a word about it.
    func labelSource(_ path: String, of mount: StoredMount, _ record: ContainerRecord) throws(Failure) {
        let isPrivate = mount.options.contains("Z")
        guard mount.kind == .volume || isPrivate || mount.options.contains("z"),
            let label = try fileLabel(of: record, shared: !isPrivate)
        else { return }
        try TreeLabel.set(label, onSource: path, home: Process.environmentValue("HOME"))
    }
}
