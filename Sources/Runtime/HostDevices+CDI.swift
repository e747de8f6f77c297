package import Failure
internal import LinuxSystem
package import OCI

extension HostDevices {
    /// A node of a CDI spec: what that leaves open is as the host's node has it.
    /// - Throws: `notFound` and `invalidArgument` where the host is needed and has no such node.
    package static func node(_ node: CDISpec.DeviceNode) throws(Failure) -> CDISpec.HostNode {
        let path = node.hostPath ?? node.path
        var device = RuntimeSpec.Device(
            type: node.type ?? .character, path: node.path, major: node.major, minor: node.minor,
            fileMode: node.fileMode, uid: node.uid, gid: node.gid)
        let isWhole = node.type == .fifo || node.type != nil && node.major ?? 0 != 0
        let status: FileStatus
        do throws(SystemError) {
            status = try FileDescriptor.status(path, follow: true)
        } catch {
            guard isWhole else { throw error.failure("the CDI device node \(path)") }
            return CDISpec.HostNode(device: device, permissions: node.permissions)
        }
        let kind: RuntimeSpec.Device.Kind? =
            switch status.kind {
            case .blockDevice: .block
            case .characterDevice: .character
            case .fifo: .fifo
            default: nil
            }
        if !isWhole {
            guard let kind else {
                throw Failure(.invalidArgument, "the CDI device node \(path): not a device node")
            }
            guard
                node.type == nil || node.type == kind
                    || node.type == .unbufferedCharacter && kind == .character
            else {
                throw Failure(
                    .invalidArgument,
                    "the CDI device node \(path): it is of type \(kind.rawValue), not \(node.type?.rawValue ?? "")"
                )
            }
            device.type = kind
            device.major = Int64(status.deviceMajor)
            device.minor = Int64(status.deviceMinor)
        }
        if kind != nil {
            device.fileMode = device.fileMode ?? status.permissions
            // Root's is everybody's default.
            device.uid = device.uid ?? (status.uid == 0 ? nil : status.uid)
            device.gid = device.gid ?? (status.gid == 0 ? nil : status.gid)
        }
        return CDISpec.HostNode(device: device, permissions: node.permissions)
    }
}
