/// A kernel's version as far as its number tells.
package struct KernelVersion: Sendable, Equatable, Comparable, CustomStringConvertible {
    let major: Int
    let minor: Int
    let patch: Int

    package init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// - Parameters:
    ///   - release: `6.1.0-18-amd64`: of some distributions the patch is not the real one.
    ///   - build: `#1 SMP Debian 6.1.76-1 (2024-02-01)`: then it is there.
    package init(release: String, build: String) {
        let own = KernelVersion.parse(release) ?? KernelVersion(0, 0)
        let told = build.split { !($0.isNumber || $0 == ".") }.compactMap { KernelVersion.parse(String($0)) }
            .first { $0.major == own.major && $0.minor == own.minor }
        self = told ?? own
    }

    private static func parse(_ text: String) -> KernelVersion? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1].prefix { $0.isNumber })
        else {
            return nil
        }
        let patch = parts.count > 2 ? Int(parts[2].prefix { $0.isNumber }) ?? 0 : 0
        return KernelVersion(major, minor, patch)
    }

    package static func < (one: KernelVersion, other: KernelVersion) -> Bool {
        (one.major, one.minor, one.patch) < (other.major, other.minor, other.patch)
    }

    package var description: String { "\(major).\(minor).\(patch)" }
}

/// A hole in the kernel that a process in a container could get out by.
struct KernelHole: Sendable {
    let name: String
    let what: String
    /// The first mended release of each series that had it, oldest first; every later series is mended.
    let releases: [KernelVersion]

    var mended: String { releases.map(\.description).joined(separator: ", ") }

    func isOpen(in version: KernelVersion) -> Bool {
        guard let last = releases.last, version < last else { return false }
        // Mended in its own series?
        return !releases.contains {
            $0.major == version.major && $0.minor == version.minor && $0.patch <= version.patch
        }
    }

    /// Of kernels that ctr runs on.
    static let all = [
        KernelHole(
            name: "CVE-2023-0386", what: "overlayfs copies set-uid files out of user namespaces",
            releases: [KernelVersion(6, 1, 9), KernelVersion(6, 2, 0)]),
        KernelHole(
            name: "CVE-2023-32233", what: "nf_tables, from any user namespace",
            releases: [
                KernelVersion(6, 1, 28), KernelVersion(6, 2, 15), KernelVersion(6, 3, 2),
                KernelVersion(6, 4, 0),
            ]),
        KernelHole(
            name: "CVE-2024-1086", what: "nf_tables, from any user namespace",
            releases: [
                KernelVersion(6, 1, 76), KernelVersion(6, 6, 15), KernelVersion(6, 7, 3),
                KernelVersion(6, 8, 0),
            ]),
    ]
}
