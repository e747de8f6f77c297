package import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import Runtime
internal import Volumes

extension Engine {
    /// Makes an OCI bundle of a container, with its settings, or of an image, as `run` would start it.
    ///
    /// The root file system is a copy; volumes and binds stay mounts of the host's directories. It stands there whole
    /// or not at all.
    /// - Parameter directory: must not exist or be empty.
    package func bundle(_ word: String, at directory: String, images: any ImageProvider) throws(Failure) {
        let target =
            directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        try checkEmpty(target)
        let part = "\(target).\(randomHex(bytes: 4)).part"
        do throws(Failure) {
            let root = try makeBundleDirectory(part)
            if let record = try containerForBundle(word) {
                try ContainerView(engine: self, record: record).withRootOnly { (source) throws(Failure) in
                    try copyRoot(source, to: root.raw)
                }
                try finishBundle(record, part, root)
            } else {
                // Nothing of the image may be swept away before it is copied.
                var request = CreateRequest(image: word)
                request.pull = .never
                let image = try imageForContainer(request, images)
                let lock = try self.root.lock(.store, .shared)
                let record = try containerOfImage(image, word)
                let mount =
                    record.layers.isEmpty ? nil : try RootMount(engine: self, record: record).mountImage()
                if let mount { try copyRoot(mount.descriptor.raw, to: root.raw) }
                _ = consume lock
                try finishBundle(record, part, root)
            }
            try during("make the bundle \(directory)") { () throws(SystemError) in
                try Directory.rename(part, to: target)
            }
        } catch {
            try? Directory.removeTree(part)
            throw error
        }
    }

    private func checkEmpty(_ path: String) throws(Failure) {
        do throws(SystemError) {
            guard try Directory.entries(of: try Directory.open(path)).isEmpty else {
                throw SystemError.notEmpty(path)
            }
        } catch {
            if error.code == .notFound { return }
            throw error.failure(
                "make the bundle \(path)", hint: "give a directory that is empty or does not exist yet")
        }
    }

    private func makeBundleDirectory(_ path: String) throws(Failure) -> SharedFileDescriptor {
        try during("make the bundle \(path)") { () throws(SystemError) in
            try Directory.make(path, mode: 0o755)
            let bundle = try Directory.open(path)
            try Directory.make("rootfs", in: bundle.raw, mode: 0o755)
            return SharedFileDescriptor(try Directory.open("rootfs", in: bundle.raw))
        }
    }

    private func containerForBundle(_ word: String) throws(Failure) -> ContainerRecord? {
        do throws(Failure) {
            return try container(word)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
    }

    private func containerOfImage(_ image: ImageRecord, _ word: String) throws(Failure) -> ContainerRecord {
        guard let layers = image.layerDirectories else {
            throw Failure(.internal, "the layers of \(word) are not unpacked", hint: "pull the image again")
        }
        let id = ContainerID.random()
        let request = CreateRequest(image: word)
        let record = ContainerRecord(
            id: id, created: Timestamp.now().nanosecondsSinceEpoch, image: word,
            imageID: image.id.description,
            manifestDigest: image.manifest.digest.description, layers: layers,
            platform: image.platform.description,
            settings: merge(request.settings, request, image.settings, id: id))
        guard !(record.settings.entrypoint + record.settings.command).isEmpty else {
            throw Failure(
                .invalidArgument, "no command specified",
                hint:
                    "the image has neither ENTRYPOINT nor CMD; make a container of it with a command, and the "
                    + "bundle of that")
        }
        return record
    }

    private func copyRoot(_ source: Int32, to target: Int32) throws(Failure) {
        let open = try during("read the root file system") { () throws(SystemError) in
            SharedFileDescriptor(try FileDescriptor.open(".", in: source, [.readOnly, .directory]))
        }
        try TreeCopy.copy(from: open.raw, to: target)
    }

    private func finishBundle(_ record: ContainerRecord, _ path: String, _ root: SharedFileDescriptor)
        throws(Failure)
    {
        try writeNetworkFiles(record.settings, root.raw)
        let made = try FileDescriptor.withBorrowed(root.raw) { (root) throws(Failure) in
            try self.specification(of: record, root: root)
        }
        var specification = made.spec
        specification.root = RuntimeSpec.Root(
            path: "rootfs", readonly: record.settings.readOnly ? true : nil)
        var mounts: [RuntimeSpec.Mount] = []
        for mount in specification.mounts ?? [] {
            if let kept = try bundleMount(mount, record) { mounts.append(kept) }
        }
        specification.mounts = mounts
        // Until here it keeps open what the sources name.
        _ = made.mounts
        // All that it says is in this version; older runtimes refuse a newer number (crun 1.8, Debian 12).
        specification.ociVersion = "1.1.0"
        var linux = specification.linux ?? RuntimeSpec.Linux()
        linux.cgroupsPath = nil
        // Another container's namespaces are those of a process, which is not there the next time.
        // A time namespace without offsets changes nothing, and crun 1.8 fails on it.
        linux.namespaces = linux.namespaces?.filter { $0.type != .time }.map {
            $0.path == nil ? $0 : RuntimeSpec.Namespace($0.type)
        }
        if linux.seccomp == nil, !isUnconfined(record.settings) {
            linux.seccomp = try SeccompProfile.docker.resolved(
                capabilities: Set(specification.process?.capabilities?.bounding ?? []),
                architecture: Machine.architecture, kernel: Machine.kernel())
        }
        specification.linux = linux
        let config = try JSON.encodePretty(specification)
        try during("write \(path)/config.json") { () throws(SystemError) in
            let bundle = try Directory.open(path)
            try AtomicFile.write(config, to: "config.json", in: bundle.raw, mode: 0o644)
            try bundle.synchronizeFileSystem()
        }
    }

    private func isUnconfined(_ settings: ContainerSettings) -> Bool {
        settings.privileged
            || settings.securityOptions.contains { $0 == "seccomp=unconfined" || $0 == "seccomp:unconfined" }
    }

    /// Into the root itself, so that the bundle can be moved. An image's own link there is replaced, not followed.
    private func writeNetworkFiles(_ settings: ContainerSettings, _ root: Int32) throws(Failure) {
        try MountTargets(root: root).ensure("/etc", isDirectory: true)
        let directory = try during("open /etc of the bundle") { () throws(SystemError) in
            let directory = try FileDescriptor.open(
                "/etc", in: root, [.readOnly, .directory], resolve: [.inRoot, .noMagicLinks])
            for name in NetworkFiles.names { try Directory.removeTree(name, in: directory.raw) }
            return SharedFileDescriptor(directory)
        }
        try NetworkFiles(
            hostname: settings.hostname, domainname: settings.domainname, extraHosts: settings.extraHosts,
            usesHostNetwork: settings.network == "host"
        ).write(in: directory.raw)
    }

    /// nil for the files that are in the root itself. What is named by a descriptor of ours gets its path.
    private func bundleMount(_ mount: RuntimeSpec.Mount, _ record: ContainerRecord) throws(Failure)
        -> RuntimeSpec.Mount?
    {
        guard let source = mount.source else { return mount }
        if NetworkFiles.names.contains(where: { source == path(of: record, $0) }) { return nil }
        guard source.hasPrefix("/proc/self/fd/") else { return mount }
        var named = mount
        named.source = try during("find the directory mounted at \(mount.destination)") {
            () throws(SystemError) in
            String(decoding: try Directory.readLink(source).bytes, as: UTF8.self)
        }
        return named
    }
}
