package import Failure
internal import LinuxSystem

/// linux.netDevices: devices of this process's network that become the container's, with their addresses, and up
/// (config-linux.md, "Network Devices"). When the container's network ends, the kernel gives physical ones back.
package enum NetworkDeviceMove {
    package static let isDone = true

    /// - Parameter devices: names, and the new ones; empty for the same.
    package static func move(_ devices: [String: String], to pid: Int32) throws(Failure) {
        guard !devices.isEmpty else { return }
        let moves = devices.sorted { $0.key < $1.key }.map { ($0.key, $0.value.isEmpty ? $0.key : $0.value) }
            .map { (name: $0.0, newName: $0.1) }
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
