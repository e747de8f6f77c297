import Failure
import LinuxSystem
import Networks
import Rootless
import Testing

@Suite(.enabled(if: Machine.canRun, "not run: needs root and network namespaces"), .serialized)
struct SessionNetworkTests {
    private final class Answer: @unchecked Sendable {
        var inodes: [UInt64] = []
        var isUp = false
        var failure: (any Error)?
    }

    /// A thread with mounts of its own, as a session has: what is asked for there, and what is found at the end.
    private func session(asking times: Int) throws -> Answer {
        let answer = Answer()
        let thread = try Thread("session") {
            do {
                try MountNamespace.unshare()
                for _ in 0..<times {
                    let found = try RootlessSession(uid: 0).networkNamespace()
                    answer.inodes.append(try found.status().inode)
                    var routes = try RouteSocket(inside: found.raw)
                    answer.isUp = try routes.link(named: "lo")?.isUp ?? false
                }
            } catch { answer.failure = error }
        }
        thread.join()
        return answer
    }

    @Test func aSessionHasOneNetworkAndTakesItAlong() throws {
        let before = Process.environmentValue("XDG_RUNTIME_DIR")
        let directory = "/tmp/ctr-session-\(Process.pid())"
        Process.setEnvironment("XDG_RUNTIME_DIR", directory)
        defer {
            Process.setEnvironment("XDG_RUNTIME_DIR", before ?? "")
            try? Directory.removeTree(directory)
        }
        try Directory.ensurePath(directory + "/ctr")
        let first = try session(asking: 2)
        #expect(first.failure == nil)
        #expect(first.inodes.count == 2 && first.inodes[0] == first.inodes[1])
        #expect(first.isUp)
        let own = try FileDescriptor.open("/proc/thread-self/ns/net").status().inode
        #expect(first.inodes.first != own)
        // The file is there still, and names nothing any more.
        #expect(try FileDescriptor.status(directory + "/ctr/network-namespace").size == 0)
        let second = try session(asking: 1)
        #expect(second.failure == nil && second.inodes.count == 1 && second.isUp)
    }
}
