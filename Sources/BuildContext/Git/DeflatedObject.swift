internal import Archive
internal import Failure
internal import LinuxSystem

/// A zlib stream inside a file, unpacked only as far as it is asked for.
final class DeflatedObject {
    private let file: SharedFileDescriptor
    private let zlib: ZlibStream
    private var offset: Int64
    private var input: ArraySlice<UInt8> = []
    /// Most commits are smaller; what comes next is more.
    private var window = 2048

    init(_ file: SharedFileDescriptor, at offset: Int64) throws(Failure) {
        self.file = file
        self.offset = offset
        zlib = try ZlibStream()
    }

    /// The next bytes; fewer than `count` only at the end.
    func read(_ count: Int) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count, !zlib.isAtEnd {
            // A size that a stranger states is not made room for before the bytes are there.
            bytes += try piece(min(count - bytes.count, 64 << 10))
        }
        return bytes
    }

    private func piece(_ size: Int) throws(Failure) -> [UInt8] {
        if input.isEmpty {
            let more = try GitFile.bytes(of: file, at: offset, count: window)
            offset += Int64(more.count)
            input = more[...]
            window = 64 << 10
        }
        var output = [UInt8](repeating: 0, count: size)
        var failed: Failure?
        var done = (consumed: 0, produced: 0)
        output.withUnsafeMutableBytes { output in
            input.withUnsafeBytes { input in
                do throws(Failure) { done = try zlib.step(input, into: output) } catch { failed = error }
            }
        }
        if let failed { throw failed }
        guard done != (0, 0) || zlib.isAtEnd else { throw Failure(.dataLoss, "an object is cut short") }
        input = input.dropFirst(done.consumed)
        output.removeLast(size - done.produced)
        return output
    }
}
