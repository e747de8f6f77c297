internal import Failure
internal import LinuxSystem

/// What a bind mount is made from: a path of the host, links followed as the user means them.
enum BindSource {
    static func isDirectory(_ path: String) throws(Failure) -> Bool {
        do throws(SystemError) {
            return try FileDescriptor.status(path, follow: true).kind == .directory
        } catch {
            throw error.failure(
                "bind source path \(path)",
                hint: error.code == .notFound ? "--mount makes no source; -v does, or make it first" : nil)
        }
    }
}
