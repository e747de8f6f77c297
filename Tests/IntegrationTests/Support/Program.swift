import Foundation
import LinuxSystem
import Testing

/// The programs under test. They are found, never built: no test target depends on an executable target.
enum Program {
    /// The package.
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// `CTR_BIN_DIR`, else the package's bin directory.
    static let directory: String =
        ProcessInfo.processInfo.environment["CTR_BIN_DIR"] ?? repository + "/bin"

    static let ctr = directory + "/ctr"
    static let monitor = directory + "/ctr-monitor"
    static let transfer = directory + "/ctr-transfer"

    /// The debug programs, which have failpoints: `CTR_DEBUG_BIN_DIR`, else where `swift build` puts them.
    static let debugDirectory: String =
        ProcessInfo.processInfo.environment["CTR_DEBUG_BIN_DIR"] ?? repository + "/.build/debug"
    static let isDebugBuilt = ["ctr", "ctr-transfer", "ctr-monitor"].allSatisfy {
        access("\(debugDirectory)/\($0)", X_OK) == 0
    }

    static let isRoot = geteuid() == 0

    /// Containers get bridges and rules in the network namespace of the tests, which must not be the machine's own:
    /// scripts/own-network makes one, and says which it is.
    static let hasOwnNetwork: Bool = {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        guard let own, own == ProcessInfo.processInfo.environment["CTR_TEST_NETWORK"] else { return false }
        return (try? NetworkNamespace.bringLoopbackUp()) != nil
    }()

    static let isBuilt = [ctr, monitor, transfer].allSatisfy { access($0 as String, X_OK) == 0 }
}

/// A program of the machine that a test compares with or builds its input by.
enum Tool: String {
    case busybox, crun, dockerRegistry = "docker-registry", htpasswd, openssl, skopeo, strace, umoci, unshare,
        zstd
    case curl, dig, ip, iperf3, nft, nginx, nsenter
    case redisCLI = "redis-cli", redisServer = "redis-server"
    case gzip, python3, tar, mount, umount
    case buildah, faketime, setcap, grep
    case cc, ionice, newuidmap, podman, ps, runc, setpriv
    case losetup, mkfsExt4 = "mkfs.ext4"

    /// Where it is, nil when it is not installed.
    var path: String? {
        for directory in ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"] {
            let candidate = "\(directory)/\(rawValue)"
            if access(candidate, X_OK) == 0 { return candidate }
        }
        return nil
    }

    static func missing(_ tools: [Tool]) -> [Tool] { tools.filter { $0.path == nil } }
}

extension Trait where Self == ConditionTrait {
    /// Runs only as root on built programs, with these tools at hand; otherwise the tests are reported as not run.
    static func needs(_ tools: Tool...) -> Self {
        if !Program.isRoot { return .enabled(if: false, "not run: needs root") }
        if !Program.isBuilt {
            return .enabled(
                if: false, "not run: no ctr, ctr-transfer and ctr-monitor in CTR_BIN_DIR or ./bin")
        }
        if !Program.hasOwnNetwork {
            return .enabled(
                if: false,
                "not run: they are in the machine's own network: start them by ./test or scripts/own-network"
            )
        }
        let missing = Tool.missing(tools + [.busybox])
        return .enabled(
            if: missing.isEmpty,
            "not run: not installed: \(missing.map(\.rawValue).joined(separator: ", "))")
    }
}
