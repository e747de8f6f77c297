import Archive
import Failure
import LinuxSystem
import OCI
import Testing

@Suite struct MemberGzipTests {
    private static let size = MemberGzip.memberSize

    private func pack(_ bytes: [UInt8], threads: Int, piece: Int = .max) throws -> [UInt8] {
        let workers = try GzipWorkers(threads)
        return try pack(bytes, workers, piece: piece)
    }

    private func pack(_ bytes: [UInt8], _ workers: GzipWorkers, piece: Int = .max) throws -> [UInt8] {
        nonisolated(unsafe) var out: [UInt8] = []
        let gzip = MemberGzip(workers) { (ready) throws(Failure) in out += ready }
        var at = 0
        while at < bytes.count {
            let end = piece < bytes.count - at ? at + piece : bytes.count
            try bytes[at..<end].withUnsafeBytes { try gzip.feed($0) }
            at = end
        }
        try gzip.finish()
        return out
    }

    /// A tool's exit code and what it printed.
    private func run(_ program: String, _ arguments: String...) throws -> (code: Int32, output: [UInt8]) {
        let output = try FileDescriptor.memory("output")
        let pid = try Process.spawn(
            program: try FileDescriptor.open(program, [.pathOnly]), arguments: [program] + arguments,
            environment: Process.environment, output: output.raw, error: output.raw)
        let status = try #require(try Process.reap(pid)).status
        try output.seek(to: 0)
        return (Process.exitCode(ofStatus: status), try output.readAll(limit: 64 << 20))
    }

    private func withFile<R>(_ bytes: [UInt8], _ body: (String) throws -> R) throws -> R {
        let path = "/tmp/ctr-gzip-test-\(randomHex(bytes: 8)).gz"
        defer { try? Directory.removeFile(path) }
        try FileDescriptor.open(path, [.writeOnly, .create]).write(bytes)
        return try body(path)
    }

    /// Making it byte by byte takes longer than all else in a debug build.
    private func long(_ count: Int) -> [UInt8] {
        let part = noise(min(count, 100_003))
        var all: [UInt8] = []
        while all.count < count { all += part }
        all.removeLast(all.count - count)
        return all
    }

    @Test(arguments: [
        0, 1, 70_000, size - 1, size, size + 1, 2 * size, 3 * size + 12_345, 9 * size + 7,
    ])
    func threadsAndPiecesDoNotShow(_ count: Int) throws {
        let bytes = long(count)
        let packed = try pack(bytes, threads: 1)
        #expect(try unpack(packed, .gzip) == bytes)
        #expect(try unpack(packed, .gzip, piece: 7777) == bytes)
        for threads in [1, 2, 3, 7] {
            for piece in [4097, 1 << 20, 3_000_001, Int.max] {
                #expect(try pack(bytes, threads: threads, piece: piece) == packed)
            }
        }
    }

    @Test func everyMemberIsAnonymous() throws {
        let packed = try pack(long(Self.size + 1), threads: 2)
        let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
        #expect(Array(packed[..<10]) == header)
        let second = try pack(Array(long(Self.size + 1)[Self.size...]), threads: 1)
        #expect(Array(second[..<10]) == header)
        #expect(packed.suffix(second.count) == second[...])
        #expect(try pack([], threads: 2).count == 20)
    }

    /// The bytes themselves: layers' digests are made of them. Where this fails, zlib or a constant has changed, and with
    /// it the digest of every layer that is pushed from now on.
    @Test func theBytesAreThoseOfTheLastRelease() throws {
        let packed = try pack(noise(3 * Self.size), threads: 2)
        #expect(
            ContentHash.hex(of: packed) == "0f62e59b5a5723afa00ccde3dba51a85821473ef31bcefe880960039a4eb6c23")
    }

    @Test func manyStreamsShareTheWorkers() throws {
        let workers = try GzipWorkers(2)
        let inputs = (0..<5).map { noise($0) + long(Self.size * $0 + 999) }
        let alone = try inputs.map { try pack($0, threads: 1) }
        nonisolated(unsafe) var outputs = [[UInt8]](repeating: [], count: inputs.count)
        let condition = Condition()
        let threads = try inputs.indices.map { i in
            try Thread("test") {
                let packed = (try? self.pack(inputs[i], workers, piece: 100_003)) ?? []
                condition.locked { outputs[i] = packed }
            }
        }
        for thread in threads { thread.join() }
        #expect(outputs == alone)
    }

    @Test func aSinkThatFailsStopsTheStream() throws {
        let workers = try GzipWorkers(2)
        let gzip = MemberGzip(workers) { (_) throws(Failure) in
            throw Failure(.resourceExhausted, "no space left")
        }
        let bytes = long(Self.size)
        #expect(throws: Failure.self) {
            for _ in 0..<10 { try bytes.withUnsafeBytes { try gzip.feed($0) } }
        }
    }

    private func tar() throws -> [UInt8] {
        nonisolated(unsafe) var tar: [UInt8] = []
        let writer = TarWriter { (bytes) throws(Failure) in tar += bytes }
        try writer.add(
            TarEntry(path: RawPath("data"), kind: .file, mode: 0o644), data: long(2 * Self.size + 5))
        try writer.add(TarEntry(path: RawPath("last"), kind: .file, mode: 0o644), data: Array("end".utf8))
        try writer.finish()
        return tar
    }

    @Test(.enabled(if: (try? FileDescriptor.exists("/usr/bin/gzip")) == true))
    func gzipReadsIt() throws {
        let bytes = long(2 * Self.size + 77)
        try withFile(try pack(bytes, threads: 2)) { (path: String) throws -> Void in
            #expect(try run("/usr/bin/gzip", "-t", path).code == 0)
            #expect(try run("/usr/bin/gzip", "-dc", path).output == bytes)
            #expect(try run("/bin/sh", "-c", "zcat \(path)").output == bytes)
        }
        try withFile(try pack([], threads: 2)) { (path: String) throws -> Void in
            #expect(try run("/usr/bin/gzip", "-t", path).code == 0)
            #expect(try run("/bin/sh", "-c", "zcat \(path)").output == [])
        }
    }

    @Test(.enabled(if: (try? FileDescriptor.exists("/usr/bin/python3")) == true))
    func pythonReadsIt() throws {
        try withFile(try pack(try tar(), threads: 2)) { (path: String) throws -> Void in
            let script =
                "import sys,tarfile\nt=tarfile.open(sys.argv[1])\nprint(t.getnames(), len(t.extractfile('data').read()), t.extractfile('last').read())"
            let ran = try run("/usr/bin/python3", "-c", script, path)
            #expect(
                String(decoding: ran.output, as: UTF8.self)
                    == "['data', 'last'] \(2 * Self.size + 5) b'end'\n")
        }
    }

    /// Our reader of tar is libarchive's.
    @Test func libarchiveReadsIt() throws {
        let plain = try unpack(try pack(try tar(), threads: 2), .gzip)
        nonisolated(unsafe) var rest = plain[...]
        nonisolated(unsafe) let block = UnsafeMutableRawBufferPointer.allocate(
            byteCount: 10_240, alignment: 16)
        defer { block.deallocate() }
        let reader = try TarReader { () throws(Failure) in
            guard !rest.isEmpty else { return nil }
            let part = rest.prefix(block.count)
            block.copyBytes(from: part)
            rest = rest.dropFirst(part.count)
            return UnsafeRawBufferPointer(rebasing: block[..<part.count])
        }
        var names: [String] = []
        while let entry = try reader.next() { names.append(entry.path.shown) }
        #expect(names == ["data", "last"])
    }
}
