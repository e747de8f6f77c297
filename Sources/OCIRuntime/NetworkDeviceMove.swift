internal import Failure
internal import OCI

/// linux.netDevices: devices of the runtime's network that become the container's.
enum NetworkDeviceMove {
    static let isDone = false

    static func move(_ devices: [String: RuntimeSpec.NetDevice], to pid: Int32) throws(Failure) {
        guard let (name, _) = devices.first else { return }
        throw Failure(.unsupported, "config.json: linux.netDevices: \(name)")
    }
}
