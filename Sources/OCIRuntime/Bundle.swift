internal import Failure
internal import LinuxSystem
internal import OCI

/// A directory with config.json and a root file system, read.
struct Bundle: Sendable {
    /// Absolute.
    let path: String
    /// The file's bytes, as they are.
    let config: [UInt8]
    /// With sources of binds made absolute.
    let spec: RuntimeSpec
    /// Absolute.
    let rootfs: String

    init(_ path: String) throws(Failure) {
        let here = try during("open the bundle \(path)") { () throws(SystemError) in
            try WorkingDirectory.enter(path)
            return try WorkingDirectory.path()
        }
        self.path = here
        let bytes = try during("read config.json of the bundle \(here)") { () throws(SystemError) in
            try AtomicFile.read("config.json")
        }
        guard let bytes else {
            throw Failure(
                .notFound, "the bundle \(here) has no config.json", hint: "\"ctr oci spec\" writes one")
        }
        config = bytes
        var spec = try RuntimeSpec(bytes: bytes)
        let root = spec.root?.path ?? "rootfs"
        let rootfs = root.hasPrefix("/") ? root : "\(here)/\(root)"
        try during("open the root \(rootfs)") { () throws(SystemError) in
            _ = try FileDescriptor.open(rootfs, [.pathOnly, .directory])
        }
        self.rootfs = rootfs
        // config.md, "Mounts": relative to the bundle.
        for index in (spec.mounts ?? []).indices {
            guard let mount = spec.mounts?[index], let source = mount.source, !source.hasPrefix("/"),
                mount.type == "bind"
                    || mount.options?.contains(where: { $0 == "bind" || $0 == "rbind" }) == true
            else { continue }
            spec.mounts?[index].source = "\(here)/\(source)"
        }
        self.spec = spec
    }
}
