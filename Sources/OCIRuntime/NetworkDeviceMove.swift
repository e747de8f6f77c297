internal import Failure
internal import LinuxSystem
internal import OCI

/// linux.netDevices: devices of the runtime's network that become the container's, with their addresses, and up
/// (config-linux.md, "Network Devices"). When the container's network ends, the kernel gives physical ones back.
enum NetworkDeviceMove {
    static let isDone = true

    static func move(_ devices: [String: RuntimeSpec.NetDevice], to pid: Int32) throws(Failure) {
        guard !devices.isEmpty else { return }
        for (name, device) in devices.sorted(by: { $0.key < $1.key }) {
            let newName = device.name.flatMap { $0.isEmpty ? nil : $0 } ?? name
            try during("linux.netDevices: \(name)") { () throws(SystemError) in
                try move(name, as: newName, to: pid)
            }
        }
    }

    private static func move(_ name: String, as newName: String, to pid: Int32) throws(SystemError) {
        var here = try NetlinkSocket()
        let device = try NetworkDevice(named: name, &here)
        let addresses = try device.permanentAddresses(&here)
        let namespace = try FileDescriptor.open("/proc/\(pid)/ns/net")
        try device.move(to: namespace.raw, as: newName, &here)
        var there = try NetlinkSocket.inside(namespace)
        let moved = try NetworkDevice(named: newName, &there)
        for address in addresses { try moved.add(address, &there) }
        try moved.bringUp(&there)
    }
}
