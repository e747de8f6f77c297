package import Failure
internal import LinuxSystem
internal import OCI

/// Device nodes of the host, looked up for `--device` and `--privileged`.
package enum HostDevices {
    /// Names in /dev that are no devices of the machine: what each container has of its own, and other container
    /// programs' directories.
    private static let skipped: Set<String> = [
        "console", "fd", "mqueue", "pts", "shm", ".lxc", ".lxd-mounts", ".udev",
    ]

    /// Every node below /dev, for a privileged container.
    package static func all() throws(Failure) -> [SpecOptions.Device] {
        let own = Set(ContainerDefaults.deviceNodes.map(\.path))
        return try below("/dev", as: "/dev", permissions: "rwm").filter { !own.contains($0.pathInContainer) }
    }

    /// What `--device HOST[:CONTAINER[:PERMISSIONS]]` names: one node, or all nodes below a directory. Links are
    /// followed, as a user means /dev/disk/by-id/….
    /// - Throws: `notFound`, and `invalidArgument` for what is no device.
    package static func at(
        _ path: String, pathInContainer: String? = nil, permissions: String = "rwm"
    ) throws(Failure) -> [SpecOptions.Device] {
        let target = pathInContainer ?? path
        let status: FileStatus
        do throws(SystemError) {
            status = try FileDescriptor.status(path, follow: true)
        } catch {
            throw error.failure("--device \(path)")
        }
        if let device = device(status, target, permissions) { return [device] }
        let found = status.kind == .directory ? try below(path, as: target, permissions: permissions) : []
        guard !found.isEmpty else { throw Failure(.invalidArgument, "--device \(path): not a device node") }
        return found
    }

    /// The numbers of a block device, for a limit of its own.
    package static func numbers(of path: String, flag: String) throws(Failure) -> (major: Int64, minor: Int64)
    {
        let status: FileStatus
        do throws(SystemError) {
            status = try FileDescriptor.status(path, follow: true)
        } catch {
            throw error.failure("\(flag) \(path)")
        }
        guard status.kind == .blockDevice else {
            throw Failure(.invalidArgument, "\(flag) \(path): not a block device")
        }
        return (Int64(status.deviceMajor), Int64(status.deviceMinor))
    }

    private static func device(_ status: FileStatus, _ target: String, _ permissions: String) -> SpecOptions
        .Device?
    {
        guard status.kind == .characterDevice || status.kind == .blockDevice else { return nil }
        return SpecOptions.Device(
            pathInContainer: target, kind: status.kind == .blockDevice ? .block : .character,
            major: Int64(status.deviceMajor), minor: Int64(status.deviceMinor), permissions: permissions,
            fileMode: status.permissions, uid: status.uid, gid: status.gid)
    }

    private static func below(_ path: String, as target: String, permissions: String) throws(Failure)
        -> [SpecOptions.Device]
    {
        var found: [SpecOptions.Device] = []
        let names: [String]
        do throws(SystemError) {
            names = try Directory.names(in: Directory.open(path))
        } catch {
            throw error.failure("list the devices of \(path)")
        }
        for name in names where !skipped.contains(name) {
            // What went away meanwhile is not there; links are other names of what is.
            guard let status = try? FileDescriptor.status("\(path)/\(name)") else { continue }
            if status.kind == .directory {
                found += try below("\(path)/\(name)", as: "\(target)/\(name)", permissions: permissions)
            } else if let device = device(status, "\(target)/\(name)", permissions) {
                found.append(device)
            }
        }
        return found
    }
}
