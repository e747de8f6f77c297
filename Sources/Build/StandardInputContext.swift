internal import Archive
internal import BuildContext
internal import Failure
internal import LinuxSystem

/// A context that comes over standard input: a tar, or a Dockerfile alone.
struct StandardInputContext {
    /// nil for a tar.
    let dockerfile: [UInt8]?
    private let file: SharedFileDescriptor

    /// Keeps what comes in a file of the build's scratch: a pipe is read once, and which of both it is must be seen first.
    init(_ work: WorkDirectory) throws(Failure) {
        if Terminal.isTerminal(0) {
            throw Failure(
                .invalidArgument, "the context is standard input, which is a terminal",
                hint: "give a directory, or pipe a tar or a Dockerfile in")
        }
        let scratch = try work.directory("input")
        let (head, file) = try during("read the context") { () throws(SystemError) in
            let file = try FileDescriptor.open(
                "context", in: scratch.descriptor.raw, [.readWrite, .create, .exclusive, .noFollow])
            let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
            defer { room.deallocate() }
            while true {
                let got = try FileDescriptor.withBorrowed(0) { (input) throws(SystemError) in
                    try input.read(into: room)
                }
                if got == 0 { break }
                try file.write(UnsafeRawBufferPointer(rebasing: room[..<got]))
            }
            let count = try file.read(into: room, at: 0)
            _ = try file.seek(to: 0)
            return (Array(room[..<min(count, 512)]), SharedFileDescriptor(file))
        }
        self.file = file
        guard !StandardInputContext.isArchive(head) else {
            dockerfile = nil
            return
        }
        guard !head.isEmpty else {
            throw Failure(.invalidArgument, "the context on standard input is empty")
        }
        dockerfile = try during("read the Dockerfile") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(file.raw) { (file) throws(SystemError) in
                try file.readAll(limit: 16 << 20)
            }
        }
    }

    func unpack(_ work: WorkDirectory) throws(Failure) -> ContextTree {
        try ContextTree.unpacking(tar: file, into: try work.directory("context").descriptor)
    }

    /// A tar's header, or the magic of a compression (gzip, bzip2, xz, zstd).
    static func isArchive(_ head: [UInt8]) -> Bool {
        let magics: [[UInt8]] = [
            [0x1f, 0x8b], Array("BZh".utf8), [0xfd, 0x37, 0x7a, 0x58, 0x5a], [0x28, 0xb5, 0x2f, 0xfd],
        ]
        if magics.contains(where: head.starts) { return true }
        return head.count > 262 && head[257..<262].elementsEqual("ustar".utf8)
    }
}
