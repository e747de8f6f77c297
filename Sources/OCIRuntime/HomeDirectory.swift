internal import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

/// HOME of a process whose bundle does not tell it: by the container's own accounts, as other runtimes have it.
enum HomeDirectory {
    /// - Parameter root: a directory, in which links lead nowhere else.
    static func add(to process: inout RuntimeSpec.Process, root: String) throws(Failure) {
        guard process.env?.contains(where: { $0.hasPrefix("HOME=") }) != true else { return }
        let directory = try during("open the root \(root)") { () throws(SystemError) in
            try FileDescriptor.open(root, [.pathOnly, .directory])
        }
        // What a stranger's files say badly is no reason not to start.
        let identity = try? UserDatabase(root: directory).identity(of: String(process.user?.uid ?? 0))
        process.env = (process.env ?? []) + ["HOME=\(identity?.home ?? "/")"]
    }
}
