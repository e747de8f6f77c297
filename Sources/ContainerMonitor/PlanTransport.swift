package import LinuxSystem

/// How a plan travels from `ctr` to its monitor: over the launch socket (AF_UNIX stream), before the frames.
///
/// ```
/// 16 bytes: "CTRP", LaunchPlan.version u32, size of the encoded plan u32, number of descriptors u32
///   with up to 200 descriptors: a memfd that holds the encoded plan, then the slots in their order
/// then, while descriptors are left: 1 byte with up to 200 of them
/// ```
package enum PlanTransport {
    private static let mostDescriptors = 200
    private static let magic = Array("CTRP".utf8)

    /// `slots` has one descriptor a slot of the plan, -1 for those that the monitor makes itself.
    package static func send(
        _ plan: [UInt8], version: UInt32, slots: [Int32], to socket: Int32
    ) throws(SystemError) {
        let memory = try FileDescriptor.memory("ctr-plan")
        try memory.write(plan)
        try memory.seek(to: 0)
        // SCM_RIGHTS has no empty place: a slot that the monitor fills carries a copy of the plan. Never an end of the launch
        // socket: the monitor would not hear that the other end is gone.
        var rest = ([memory.raw] + slots.map { $0 < 0 ? memory.raw : $0 })[...]
        var header = magic
        header.append(littleEndian: version)
        header.append(littleEndian: UInt32(plan.count))
        header.append(littleEndian: UInt32(rest.count))
        var message = header
        while !rest.isEmpty {
            let some = Array(rest.prefix(mostDescriptors))
            try sendAll(message, some, socket)
            rest = rest.dropFirst(mostDescriptors)
            message = [0]
        }
    }

    private static func sendAll(_ bytes: [UInt8], _ descriptors: [Int32], _ socket: Int32) throws(SystemError)
    {
        var failed: SystemError?
        bytes.withUnsafeBytes { buffer in
            do throws(SystemError) {
                try UnixSocket.send(buffer, descriptors: descriptors, to: socket)
            } catch { failed = error }
        }
        if let failed { throw failed }
    }

    package struct Received: Sendable {
        package let version: UInt32
        /// The encoded plan.
        package let memory: SharedFileDescriptor
        /// One a slot; those that the monitor makes hold a copy of the plan.
        package let slots: [SharedFileDescriptor]
    }

    /// nil where the sender went away before it sent a plan.
    package static func receive(from socket: Int32) throws(SystemError) -> Received? {
        var header = [UInt8](repeating: 0, count: 16)
        var (size, descriptors) = try receiveSome(&header, socket)
        if size == 0 { return nil }
        guard size == 16, Array(header[0..<4]) == magic,
            let version: UInt32 = header[...].littleEndian(at: 4),
            let count: UInt32 = header[...].littleEndian(at: 12), count >= 1
        else { throw SystemError(call: "recvmsg", path: "launch plan", errno: Errno.protocolError) }
        while descriptors.count < Int(count) {
            var one: [UInt8] = [0]
            let (more, others) = try receiveSome(&one, socket)
            guard more == 1, !others.isEmpty else {
                throw SystemError(call: "recvmsg", path: "launch plan", errno: Errno.protocolError)
            }
            descriptors += others
        }
        return Received(version: version, memory: descriptors[0], slots: Array(descriptors.dropFirst()))
    }

    private static func receiveSome(_ buffer: inout [UInt8], _ socket: Int32) throws(SystemError) -> (
        Int, [SharedFileDescriptor]
    ) {
        var failed: SystemError?
        var answer: (size: Int, descriptors: [Int32]) = (0, [])
        buffer.withUnsafeMutableBytes { bytes in
            do throws(SystemError) {
                answer = try UnixSocket.receive(into: bytes, from: socket)
            } catch { failed = error }
        }
        if let failed { throw failed }
        return (answer.size, answer.descriptors.map { SharedFileDescriptor(FileDescriptor(owning: $0)) })
    }
}
