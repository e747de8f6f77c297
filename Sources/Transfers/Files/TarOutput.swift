internal import Engine
internal import Archive
internal import Failure
internal import LinuxSystem

/// A tar into a descriptor, written in large pieces. `finish` writes what is left.
final class TarOutput {
    private let number: Int32
    private var held: [UInt8] = []
    private let room = 256 << 10

    init(_ number: Int32) {
        self.number = number
        held.reserveCapacity(room)
    }

    /// Once: the writer and this value hold each other's work together until `finish`.
    func writer() -> TarWriter { TarWriter { (bytes) throws(Failure) in try self.put(bytes) } }

    func finish(_ writer: TarWriter) throws(Failure) {
        try writer.finish()
        try flush()
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        if held.count + bytes.count > room { try flush() }
        if bytes.count < room { return held.append(contentsOf: bytes) }
        try write(bytes)
    }

    private func flush() throws(Failure) {
        guard !held.isEmpty else { return }
        try during("write the tar") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(number) { (file) throws(SystemError) in try file.write(held) }
        }
        held.removeAll(keepingCapacity: true)
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        try during("write the tar") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(number) { (file) throws(SystemError) in try file.write(bytes) }
        }
    }
}
