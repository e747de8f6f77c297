internal import Failure
internal import LinuxSystem
internal import OCI

/// linux.netDevices: devices of the runtime's network that become the container's, with their addresses, and up
/// (config-linux.md, "Network Devices"). When the container's network ends, the kernel gives physical ones back.
enum NetworkDeviceMove {
    static let isDone = true

    static func move(_ devices: [String: RuntimeSpec.NetDevice], to pid: Int32) throws(Failure) {
        guard !devices.isEmpty else { return }
        var moves: [(name: String, newName: String)] = []
        for (name, device) in devices.sorted(by: { $0.key < $1.key }) {
            moves.append((name, device.name.flatMap { $0.isEmpty ? nil : $0 } ?? name))
        }
        // All or none: what a container takes with it into nothing is gone.
        for one in moves {
            try during("linux.netDevices: \(one.name)") { () throws(SystemError) in
                try check(one.name, as: one.newName, for: pid)
            }
        }
        for one in moves {
            try during("linux.netDevices: \(one.name)") { () throws(SystemError) in
                try move(one.name, as: one.newName, to: pid)
            }
        }
    }

    private static func namespace(of pid: Int32) throws(SystemError) -> FileDescriptor {
        try FileDescriptor.open("/proc/\(pid)/ns/net")
    }

    private static func check(_ name: String, as newName: String, for pid: Int32) throws(SystemError) {
        var here = try NetlinkSocket()
        _ = try NetworkDevice(named: name, &here)
        // A template: the kernel finds a name that is free.
        if newName.contains("%d") { return }
        var there = try NetlinkSocket.inside(try namespace(of: pid))
        if try NetworkDevice.all(&there).contains(where: { $0.name == newName }) {
            throw SystemError(call: "netlink", path: newName, errno: Errno.exists)
        }
    }

    private static func move(_ name: String, as newName: String, to pid: Int32) throws(SystemError) {
        var here = try NetlinkSocket()
        let device = try NetworkDevice(named: name, &here)
        let addresses = try device.permanentAddresses(&here)
        let namespace = try namespace(of: pid)
        var there = try NetlinkSocket.inside(namespace)
        let before = Set(try NetworkDevice.all(&there).map(\.index))
        try device.move(to: namespace.raw, as: newName, &here)
        guard let moved = try NetworkDevice.all(&there).first(where: { !before.contains($0.index) }) else {
            throw SystemError(call: "netlink", path: newName, errno: Errno.noEntry)
        }
        for address in addresses { try moved.add(address, &there) }
        try moved.bringUp(&there)
    }
}
