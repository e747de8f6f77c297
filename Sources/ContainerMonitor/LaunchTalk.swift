internal import Failure
package import LinuxSystem

/// What is said over the launch socket between the plan and the first client's hello: the monitor tells that the
/// container's namespaces are there (`made`), who launches has attached them (`attached`) or could not (`failed`).
package enum LaunchTalk {
    /// For who launches: the pid of a child whose namespaces are there; nil where the launch has failed before, which the
    /// next frame tells.
    package static func awaitChild(_ socket: Int32) throws(SystemError) -> Int32? {
        // Nothing is read that is not for this: a failure is for who reads the frames from here on.
        let frame = AttachFrame.made(pid: 0).bytes
        let head = try UnixSocket.peek(frame.count, from: socket)
        guard head.count == frame.count, head[..<8] == frame[..<8],
            let pid: UInt32 = head[...].littleEndian(at: 8)
        else { return nil }
        try withUnsafeTemporaryAllocation(byteCount: frame.count, alignment: 8) {
            buffer throws(SystemError) in
            _ = try UnixSocket.receive(into: buffer, from: socket)
        }
        return Int32(bitPattern: pid)
    }

    package static func tell(_ frame: AttachFrame, to socket: Int32) {
        // Who is gone is found when it is heard.
        try? UnixSocket.sendAll(frame.bytes, to: socket)
    }

    static func awaitNetworks(_ socket: Int32) throws(Failure) {
        var reader = AttachFrameReader()
        do {
            while true {
                if let frame = try reader.next() { return try take(frame) }
                // Byte for byte, so that nothing is read of what comes after.
                _ = try FileDescriptor.wait(for: socket)
                let byte = try read(socket)
                guard let byte else { throw unheard }
                withUnsafeBytes(of: byte) { reader.append($0) }
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw unheard
        }
    }

    private static var unheard: Failure {
        Failure(.interrupted, "who started the container ended before it had attached its networks")
    }

    private static func take(_ frame: AttachFrame) throws(Failure) {
        switch frame {
        case .attached: return
        case .failed(_, let code, let message):
            throw Failure(Failure.Code(description: code), message)
        default: throw unheard
        }
    }

    /// nil at the end of the stream.
    private static func read(_ socket: Int32) throws(SystemError) -> UInt8? {
        try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { buffer throws(SystemError) in
            while true {
                guard let size = try Launching.readAvailable(socket, into: buffer) else {
                    _ = try FileDescriptor.wait(for: socket)
                    continue
                }
                return size == 0 ? nil : buffer[0]
            }
        }
    }
}
