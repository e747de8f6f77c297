package import Failure

/// Wraps a stream in gzip on several threads: members of a fixed size, compressed side by side and joined in order
/// (RFC 1952 2.2: a file is a series of members).
///
/// The same input gives the same bytes on every processor, for every number of threads and however it is fed: zlib with a
/// fixed level, no time, no name, operating system "unknown". ISA-L, which is faster, gives other bytes on other
/// processors. The version of zlib, the level and the members' size are part of the result: a change of any gives
/// layers new digests, and pushes send them anew.
///
/// Members of 1 MiB, because each begins without a window: they make a tar of programs 0.3 % larger than one member
/// would be, 4 MiB 0.05 %, and take a quarter of the memory, which is 2.1 MiB for each thread and one more. Level 5:
/// half as fast again as 6, and 1.1 % larger.
package final class MemberGzip {
    package typealias Sink = (UnsafeRawBufferPointer) throws(Failure) -> Void

    /// Input bytes of every member but the last.
    package static let memberSize = 1 << 20
    static let level: Int32 = 5

    private let workers: GzipWorkers
    private let sink: Sink
    private var current = GzipMember(size: MemberGzip.memberSize)
    /// Being compressed, in the stream's order.
    private var ahead: [GzipMember] = []
    private var isBegun = false

    /// - Parameter sink: gets what is ready, on the thread that feeds.
    package init(_ workers: GzipWorkers, _ sink: @escaping Sink) {
        self.workers = workers
        self.sink = sink
    }

    /// Takes the next bytes; waits while the workers are behind. After a failure the stream is of no use.
    package func feed(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var rest = bytes
        while !rest.isEmpty {
            if current.count == MemberGzip.memberSize {
                submit()
                current = try spare()
            }
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(MemberGzip.memberSize - current.count))
            UnsafeMutableRawBufferPointer(rebasing: current.input[current.count...]).copyMemory(from: part)
            current.count += part.count
            rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
        }
    }

    /// The stream's end; without any input it is one empty member.
    package func finish() throws(Failure) {
        if current.count > 0 || !isBegun { submit() }
        while !ahead.isEmpty { _ = try takeFirst() }
    }

    private func submit() {
        isBegun = true
        ahead.append(current)
        workers.submit(current)
    }

    /// One member for each worker, and the one that is filled meanwhile.
    private func spare() throws(Failure) -> GzipMember {
        if ahead.count <= workers.count { return GzipMember(size: MemberGzip.memberSize) }
        return try takeFirst()
    }

    /// Hands the oldest member's bytes on and frees it.
    private func takeFirst() throws(Failure) -> GzipMember {
        let member = ahead.removeFirst()
        try workers.wait(for: member)
        try sink(member.compressed)
        member.reset()
        return member
    }
}
