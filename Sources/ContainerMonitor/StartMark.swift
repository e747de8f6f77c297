internal import LinuxSystem

/// When a container with a restart policy was started the last time: `started` in its directory. The run directory goes with
/// a power cut; without a record of the end of this run, it was running then.
package struct StartMark: Sendable, Equatable {
    /// Nanoseconds since 1970, as the exit record has it.
    package let startedAt: Int64

    package static let fileName = "started"

    func write(in containerDirectory: Int32) {
        // Not waited for: a start is not slower for it, and what a power cut takes of it is a second's.
        try? AtomicFile.write(
            Array("\(startedAt)\n".utf8), to: StartMark.fileName, in: containerDirectory, durable: false)
    }

    package static func read(_ containerDirectory: String) -> StartMark? {
        let bytes = (try? AtomicFile.read("\(containerDirectory)/\(fileName)", limit: 64)) ?? nil
        guard let bytes, let time = Int64(String(decoding: bytes.dropLast(), as: UTF8.self)) else {
            return nil
        }
        return StartMark(startedAt: time)
    }
}
