package import Failure
internal import LinuxSystem

/// What the whole host needs: neither given to a container's user nor labelled for one, by whatever name it is called.
package enum SystemPaths {
    static let all: Set<String> = [
        "/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/media",
        "/mnt", "/opt",
        "/proc", "/root", "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/lib",
        "/usr/lib64",
        "/usr/local", "/usr/sbin", "/usr/share", "/var", "/var/lib", "/var/log", "/var/run", "/var/tmp",
        "/etc/passwd",
        "/etc/shadow", "/etc/group", "/etc/pki", "/etc/ssl",
    ]

    /// Which of them a path is, itself or by the links in it; nil for none.
    package static func named(by path: String) throws(Failure) -> String? {
        let real = try during("look at \(path)") { () throws(SystemError) in
            let file = try FileDescriptor.open(path, [.pathOnly])
            return try Directory.readLink("/proc/self/fd/\(file.raw)").shown
        }
        return [path, real].first { all.contains($0) }
    }
}
