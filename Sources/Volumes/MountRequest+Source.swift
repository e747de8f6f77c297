package import Failure
import LinuxSystem

extension MountRequest {
    /// Sees to it that the host path of a bind is there: makes a missing directory (0755, with its parents) where the request
    /// says so, and throws `.notFound` otherwise. Nothing to do for volumes and tmpfs.
    package func prepareSource() throws(Failure) {
        guard case .bind(let path, let createsSource) = source else { return }
        let there = try during("mount \(path) at \(target)") { () throws(SystemError) in
            do throws(SystemError) {
                // Links are followed: it is the caller's own path.
                _ = try FileDescriptor.status(path, follow: true)
                return true
            } catch {
                guard error.code == .notFound else { throw error }
                return false
            }
        }
        if there { return }
        guard createsSource else {
            throw Failure(
                .notFound, "mount \(path) at \(target): \(path) does not exist on the host",
                hint: "Make it, or add bind-create-src to have an empty directory made.")
        }
        try during("make the directory \(path) to be mounted at \(target)") { () throws(SystemError) in
            try Directory.ensurePath(path, mode: 0o755)
        }
    }
}
