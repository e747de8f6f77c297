internal import CommandTable
internal import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

extension ContainerSettings {
    /// Those of `--device` and `--gpus` that are names, not paths.
    var deviceNames: [CDIDeviceName] { devices.compactMap { CDIDeviceName($0) } }

    /// For who shows them: paths, and names of CDI devices.
    package var deviceWords: (paths: [String], names: [String]) {
        (devices.filter { CDIDeviceName($0) == nil }, deviceNames.map(\.description))
    }
}

extension Engine {
    /// `CTR_CDI_SPEC_DIRS`, kept with the container: who starts it again may have another environment.
    func deviceSpecDirectories(for settings: ContainerSettings) -> [String] {
        guard !settings.deviceNames.isEmpty, let text = Process.environmentValue("CTR_CDI_SPEC_DIRS"),
            !text.isEmpty
        else { return [] }
        return text.split(separator: ":").map(String.init)
    }

    /// What the container's CDI devices need, as the host's specs have it now: a driver may have changed them since the last
    /// start. nil where there are none.
    func deviceEdits(of settings: ContainerSettings) throws(Failure) -> CDISpec.Edits? {
        let names = settings.deviceNames
        guard !names.isEmpty else { return nil }
        let directories = settings.deviceSpecDirectories
        let edits = try DeviceSpecs(
            directories: directories.isEmpty ? DeviceSpecs.standardDirectories : directories
        )
        .edits(for: names)
        if edits.intelRdt != nil {
            throw Failure(
                .unsupported,
                "CDI devices with intelRdt are not supported here: \(names.map(\.description).joined(separator: ", "))",
                hint: "linux.intelRdt of a bundle's config.json is done by \"ctr oci\"")
        }
        return edits
    }

    /// Makes the edits of the container's CDI devices in its spec.
    /// - Throws: `notFound` and `invalidArgument` for what a spec names and the host has not.
    func addDevices(of settings: ContainerSettings, to spec: inout RuntimeSpec, host: HostFacts)
        throws(Failure)
    {
        guard var edits = try deviceEdits(of: settings) else { return }
        // mknod is forbidden there, and the host's nodes are bound: by their own path, unless a mount says another.
        let bindsNodes = host.inUserNamespace || settings.userNamespace.maps != nil
        var nodes: [CDISpec.HostNode] = []
        for node in edits.deviceNodes {
            var found = try HostDevices.node(node)
            if bindsNodes, let path = node.hostPath, path != node.path {
                found.isMade = false
                edits.mounts.append(
                    CDISpec.Mount(
                        hostPath: path, containerPath: node.path, type: "bind", options: ["bind", "rprivate"])
                )
            }
            nodes.append(found)
        }
        for mount in edits.mounts where (try? FileDescriptor.exists(mount.hostPath)) == false {
            throw Failure(.notFound, "a CDI device mounts \(mount.hostPath), which the host has not")
        }
        spec.apply(edits, nodes: nodes)
        try spec.checkEdits()
    }
}
