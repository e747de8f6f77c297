internal import CLinux

/// A cgroup's device filter: an eBPF program that the kernel asks before a device node is opened or made (bpf(2)).
package enum DeviceFilter {
    // linux/bpf.h; the same on every architecture.
    private static let programLoad: Int32 = 5
    private static let programAttach: Int32 = 8
    private static let cgroupDeviceProgram: UInt32 = 15
    private static let cgroupDeviceAttachment: UInt32 = 6
    private static let allowMultiple: UInt32 = 2

    /// The first fields of bpf_attr for BPF_PROG_LOAD; the kernel takes the rest as zero.
    private struct LoadAttributes {
        var type: UInt32
        var instructionCount: UInt32
        var instructions: UInt64
        var license: UInt64
        var logLevel: UInt32 = 0
        var logSize: UInt32 = 0
        var logBuffer: UInt64 = 0
        var kernelVersion: UInt32 = 0
        var flags: UInt32 = 0
    }

    private struct AttachAttributes {
        var target: Int32
        var program: Int32
        var type: UInt32
        var flags: UInt32
    }

    /// Loads a program of BPF_PROG_TYPE_CGROUP_DEVICE; it lives as long as its descriptor or an attachment.
    package static func load(_ program: [UInt8]) throws(SystemError) -> FileDescriptor {
        let license: [UInt8] = Array("Apache-2.0\0".utf8)
        var failure: SystemError?
        var raw = -1
        program.withUnsafeBytes { code in
            license.withUnsafeBytes { license in
                var attributes = LoadAttributes(
                    type: cgroupDeviceProgram, instructionCount: UInt32(code.count / 8),
                    instructions: UInt64(UInt(bitPattern: code.baseAddress)),
                    license: UInt64(UInt(bitPattern: license.baseAddress)))
                do throws(SystemError) {
                    raw = try call("bpf", "device filter") {
                        ctr_bpf(programLoad, &attributes, UInt32(MemoryLayout<LoadAttributes>.size))
                    }
                } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        return FileDescriptor(owning: Int32(raw))
    }

    /// Attaches it to a cgroup2 directory, beside filters of others (BPF_F_ALLOW_MULTI): all of them must agree to
    /// an access. It stays until the cgroup is removed.
    package static func attach(_ program: borrowing FileDescriptor, to cgroup: borrowing FileDescriptor)
        throws(SystemError)
    {
        var attributes = AttachAttributes(
            target: cgroup.raw, program: program.raw, type: cgroupDeviceAttachment, flags: allowMultiple)
        try call("bpf", "device filter") {
            ctr_bpf(programAttach, &attributes, UInt32(MemoryLayout<AttachAttributes>.size))
        }
    }
}
