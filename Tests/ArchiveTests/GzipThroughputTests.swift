import Archive
import Failure
import Glibc
import LinuxSystem
import Testing

private let input = Process.environmentValue("CTR_GZIP_INPUT")

/// A measurement, not a test: CTR_GZIP_INPUT names a file of some hundred MiB.
@Suite(.enabled(if: input != nil, "a measurement on request"), .serialized) struct GzipThroughputTests {
    @Test(arguments: [1, 2, 4]) func compress(_ threads: Int) throws {
        let bytes = try FileDescriptor.open(try #require(input)).readAll(limit: 1 << 30)
        let workers = try GzipWorkers(threads)
        nonisolated(unsafe) var size = 0
        let gzip = MemberGzip(workers) { (ready) throws(Failure) in size += ready.count }
        let start = monotonicNanoseconds()
        let used = clock()
        try bytes.withUnsafeBytes { try gzip.feed($0) }
        try gzip.finish()
        let work = Double(clock() - used) / 1e6
        let seconds = Double(monotonicNanoseconds() - start) / 1e9
        let megabytes = Double(bytes.count) / 1e6
        print(
            "\(threads) threads: \(Int(megabytes / seconds)) MB/s, \(Int(megabytes / work)) for each second of "
                + "processor time, to \(size * 1000 / bytes.count) ‰")
    }
}
