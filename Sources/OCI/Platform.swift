package import Failure

/// image-spec image-index.md, `platform`.
package struct Platform: Hashable, Sendable, Codable {
    package var architecture: String
    package var os: String
    package var variant: String?
    package var osVersion: String?
    package var osFeatures: [String]?

    enum CodingKeys: String, CodingKey {
        case architecture, os, variant
        case osVersion = "os.version"
        case osFeatures = "os.features"
    }

    package init(os: String, architecture: String, variant: String? = nil) {
        self.os = os
        self.architecture = architecture
        self.variant = variant
    }
}

extension Platform: CustomStringConvertible {
    /// What images for this machine are built for. The variant is left out: arm64 means v8, amd64 means v1.
    package static var host: Platform {
        #if arch(x86_64)
            Platform(os: "linux", architecture: "amd64")
        #elseif arch(arm64)
            Platform(os: "linux", architecture: "arm64")
        #else
            #error("ctr runs on x86_64 and aarch64")
        #endif
    }

    /// `os/architecture[/variant]` as `--platform` takes it, or an architecture alone for linux; normalised.
    /// - Throws: `invalidArgument`.
    package init(_ text: String) throws(Failure) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { $0.lowercased() }
        guard (1...3).contains(parts.count), parts.allSatisfy(Platform.isWord) else {
            throw Failure(
                .invalidArgument, "\(text.quotedForMessage) is not a platform",
                hint: "write os/architecture[/variant], such as linux/arm64 or linux/arm/v7")
        }
        let os: String
        let architecture: String
        if parts.count == 1 {
            guard !Platform.systems.contains(parts[0]) else {
                throw Failure(
                    .invalidArgument, "platform \(text.quotedForMessage) names no architecture",
                    hint: "write os/architecture[/variant], such as linux/arm64")
            }
            (os, architecture) = ("linux", parts[0])
        } else {
            (os, architecture) = (parts[0], parts[1])
        }
        self =
            Platform(os: os, architecture: architecture, variant: parts.count == 3 ? parts[2] : nil)
            .normalized
    }

    /// `linux/arm/v7`.
    package var description: String {
        let base = "\(os)/\(architecture)"
        guard let variant, !variant.isEmpty else { return base.onOneLine(limit: 100) }
        return "\(base)/\(variant)".onOneLine(limit: 100)
    }

    /// One spelling for each platform: GOARCH names, variants as `vN`, and no variant where it is the
    /// architecture's base (amd64 v1, arm64 v8). 32-bit arm always has one; v7 where none was given.
    package var normalized: Platform {
        var result = self
        result.os = os.lowercased()
        if result.os == "macos" { result.os = "darwin" }
        var name = variant?.lowercased() ?? ""
        switch architecture.lowercased() {
        case "x86_64", "x86-64", "amd64":
            result.architecture = "amd64"
            if name == "v1" || name == "1" { name = "" }
        case "i386", "i486", "i586", "i686", "x86", "386":
            result.architecture = "386"
        case "aarch64", "arm64":
            result.architecture = "arm64"
            if ["8", "v8", "v8.0"].contains(name) { name = "" }
            if name == "v9.0" { name = "v9" }
        case "armhf":
            (result.architecture, name) = ("arm", "v7")
        case "armel":
            (result.architecture, name) = ("arm", "v6")
        case "arm":
            result.architecture = "arm"
            if name.isEmpty { name = "v7" }
        case let other:
            result.architecture = other
        }
        if let first = name.utf8.first, (0x30...0x39).contains(first) { name = "v" + name }
        result.variant = name.isEmpty ? nil : name
        return result
    }

    private static let systems: Set<String> = ["linux", "windows", "darwin", "macos", "freebsd"]

    private static func isWord(_ part: String) -> Bool {
        !part.isEmpty
            && part.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
                case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
                default: false
                }
            }
    }
}
