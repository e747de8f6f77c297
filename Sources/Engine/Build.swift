internal import LinuxSystem

/// What this program is.
package enum Build {
    package static let version = "0.1.0"
    package static let runtimeSpecVersion = "1.3.0"
    package static let imageSpecVersion = "1.1.1"

    /// As Go and image-spec name it.
    package static var architecture: String {
        #if arch(x86_64)
            "amd64"
        #elseif arch(arm64)
            "arm64"
        #else
            #error("only x86_64 and aarch64")
        #endif
    }

    package static func kernelVersion() -> String {
        let bytes = (try? AtomicFile.read("/proc/sys/kernel/osrelease", limit: 256)) ?? nil
        return String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }
}
