internal import LinuxSystem

/// A connection to a client, as the monitor sees it. What the client has not taken yet is held here, up to a bound at
/// which the monitor stops reading the container (as a full pipe would stop it).
final class AttachedClient {
    /// What may wait for a client before the container is held back.
    static let mostPending = 128 << 10

    let socket: SharedFileDescriptor
    /// The first client is who launched: `run` in the foreground, or `start` that waits for "started".
    let isLauncher: Bool
    /// It said hello and gets the container's output.
    private(set) var isAttached = false
    private(set) var isGone = false
    private var reader = AttachFrameReader()
    private var pending: [UInt8] = []
    /// When it last took a byte, while some wait.
    private(set) var stalledSince: Int64 = 0

    init(socket: SharedFileDescriptor, isLauncher: Bool) {
        self.socket = socket
        self.isLauncher = isLauncher
    }

    var hasPending: Bool { !pending.isEmpty }
    var isFull: Bool { pending.count >= AttachedClient.mostPending }

    func send(_ frame: AttachFrame) {
        guard !isGone else { return }
        if pending.isEmpty { stalledSince = monotonicNanoseconds() }
        pending.append(contentsOf: frame.bytes)
        flush()
    }

    func flush() {
        var done = 0
        while done < pending.count, !isGone {
            let taken: Int? = pending.withUnsafeBytes { bytes in
                do throws(SystemError) {
                    return try Launching.sendAvailable(
                        socket.raw, UnsafeRawBufferPointer(rebasing: bytes[done...]))
                } catch {
                    isGone = true
                    return nil
                }
            }
            guard let taken else { break }
            done += taken
        }
        guard done > 0 || isGone else { return }
        stalledSince = monotonicNanoseconds()
        // A buffer that was large once is not kept.
        pending = isGone || done == pending.count ? [] : Array(pending[done...])
    }

    func leave() { isGone = true }

    /// The frames that have come; the end of the stream and a broken peer make it gone.
    func receive() -> [AttachFrame] {
        var frames: [AttachFrame] = []
        withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 8) { buffer in
            do {
                // Once: the rest waits in the socket, so that stdin is not read faster than the container reads it.
                if let size = try Launching.readAvailable(socket.raw, into: buffer) {
                    if size == 0 { isGone = true }
                    reader.append(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
                }
                while let frame = try reader.next() {
                    if case .hello = frame { isAttached = true }
                    frames.append(frame)
                }
            } catch {
                isGone = true
            }
        }
        return frames
    }
}
