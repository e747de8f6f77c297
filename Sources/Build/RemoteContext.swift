internal import BuildContext
internal import Failure
internal import LinuxSystem
internal import Transfers

/// A context that is fetched: a git repository, a tar or a Dockerfile at an address.
struct RemoteContext {
    let tree: ContextTree
    /// The address was a Dockerfile alone.
    let dockerfile: [UInt8]?
    let commitTime: Int64?

    init(_ address: String, _ work: WorkDirectory) throws(Failure) {
        if GitSource.isGit(address) {
            let checkout = try GitSource(address).checkOut(
                into: try work.directory("git").path,
                RemoteContext.access(agent: Process.environmentValue("SSH_AUTH_SOCK")))
            tree = ContextTree(checkout.directory, owners: .root)
            dockerfile = nil
            commitTime = checkout.time
            return
        }
        commitTime = nil
        let scratch = try work.directory("download")
        let (file, head) = try RemoteContext.download(address, in: scratch.descriptor, as: "context")
        if StandardInputContext.isArchive(head) {
            tree = try ContextTree.unpacking(tar: file, into: try work.directory("context").descriptor)
            dockerfile = nil
        } else {
            tree = ContextTree(try work.directory("empty").descriptor, owners: .root)
            dockerfile = try during("read \(address)") { () throws(SystemError) in
                try FileDescriptor.withBorrowed(file.raw) { (file) throws(SystemError) in
                    try file.readAll(limit: 16 << 20)
                }
            }
        }
    }

    /// Answers the file, to be read from its beginning, and its first bytes.
    private static func download(
        _ address: String, in directory: SharedFileDescriptor, as name: String
    ) throws(Failure) -> (SharedFileDescriptor, head: [UInt8]) {
        let file = try during("make a file for \(address)") { () throws(SystemError) in
            SharedFileDescriptor(
                try FileDescriptor.open(
                    name, in: directory.raw, [.readWrite, .create, .exclusive, .noFollow]))
        }
        _ = try fetchFile(address, to: file.raw)
        let head = try during("read \(address)") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(file.raw) { (file) throws(SystemError) in
                try file.seek(to: 0)
                let room = UnsafeMutableRawBufferPointer.allocate(byteCount: 512, alignment: 16)
                defer { room.deallocate() }
                let count = try file.read(into: room, at: 0)
                return Array(room[..<count])
            }
        }
        return (file, head)
    }

    /// What git may use: the caller's proxies, and an agent; none of the caller's configuration.
    static func access(agent: String?) -> GitAccess {
        var environment: [String: String] = [:]
        for line in Process.environment {
            let (name, value) = line.splitAtEquals
            environment[name] = value
        }
        var access = GitAccess(environment: environment)
        access.sshAgent = agent
        return access
    }
}
