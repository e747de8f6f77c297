internal import Failure
internal import LinuxSystem

/// The processor and the kernel that this runs on.
package enum Machine {
    /// As platforms name it.
    #if arch(x86_64)
        package static let architecture = "amd64"
    #elseif arch(arm64)
        package static let architecture = "arm64"
    #else
        #error("ctr runs on x86_64 and aarch64")
    #endif

    /// Major and minor number of the running kernel; 6.1, the lowest supported, where it does not tell.
    package static func kernel() -> (Int, Int) {
        let release = HostFile.words("/proc/sys/kernel/osrelease").first ?? ""
        let parts = release.split { !$0.isNumber }
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) else { return (6, 1) }
        return (major, minor)
    }
}
