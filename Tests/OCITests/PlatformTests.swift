import Failure
import OCI
import Testing

@Suite struct PlatformTests {
    @Test(arguments: [
        ("linux/amd64", "linux/amd64"), ("linux/x86_64", "linux/amd64"), ("Linux/AMD64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"), ("linux/arm64", "linux/arm64"),
        ("linux/aarch64", "linux/arm64"),
        ("linux/arm64/v8", "linux/arm64"), ("linux/arm64/8", "linux/arm64"),
        ("linux/arm64/v9", "linux/arm64/v9"),
        ("linux/arm", "linux/arm/v7"), ("linux/arm/6", "linux/arm/v6"), ("linux/armhf", "linux/arm/v7"),
        ("linux/armel", "linux/arm/v6"), ("linux/i386", "linux/386"), ("arm64", "linux/arm64"),
        ("x86_64", "linux/amd64"), ("linux/riscv64", "linux/riscv64"), ("windows/amd64", "windows/amd64"),
    ])
    func parses(text: String, canonical: String) throws {
        #expect(try Platform(text).description == canonical)
        #expect(try Platform(canonical) == Platform(text))
    }

    @Test(arguments: [
        "", "/", "linux", "linux/", "/amd64", "linux/arm64/", "linux/a/b/c", "linux/ä", "linux/a b",
        "windows",
    ])
    func refuses(text: String) {
        #expect(failure(of: { try Platform(text) })?.code == .invalidArgument)
    }

    @Test func host() throws {
        #expect(Platform.host == Platform.host.normalized)
        #expect(["linux/amd64", "linux/arm64"].contains(Platform.host.description))
    }

    /// wanted, offered, what is chosen (nil: a failure)
    static let choices: [(String, [String], String?)] = [
        ("linux/amd64", ["linux/arm64", "linux/amd64"], "linux/amd64"),
        ("linux/amd64", ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64"], "linux/amd64"),
        ("linux/amd64", ["linux/amd64/v2", "linux/amd64/v1"], "linux/amd64/v1"),
        ("linux/amd64", ["linux/amd64/v2"], nil),
        ("linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], "linux/amd64/v2"),
        ("linux/amd64/v4", ["linux/amd64/v3", "linux/amd64/v4"], "linux/amd64/v4"),
        ("linux/amd64/v2", ["linux/amd64"], "linux/amd64"),
        ("linux/arm64", ["linux/arm/v7", "linux/arm64/v8"], "linux/arm64/v8"),
        ("linux/arm64/v8", ["linux/arm64"], "linux/arm64"),
        ("linux/arm64", ["linux/arm64/v9"], nil),
        ("linux/arm64/v9", ["linux/arm64", "linux/arm64/v8.5"], "linux/arm64/v8.5"),
        ("linux/arm64/v8.2", ["linux/arm64/v8.3", "linux/arm64/v8.1", "linux/arm64"], "linux/arm64/v8.1"),
        ("linux/arm/v7", ["linux/arm/v5", "linux/arm/v6"], "linux/arm/v6"),
        ("linux/arm/v6", ["linux/arm/v7", "linux/arm/v5"], "linux/arm/v5"),
        ("linux/arm/v6", ["linux/arm/v7"], nil),
        ("linux/arm", ["linux/arm/v6", "linux/arm/v7"], "linux/arm/v7"),
        ("linux/arm64", ["linux/arm/v7"], nil),
        ("linux/amd64", ["linux/386"], nil),
        ("linux/amd64", ["windows/amd64"], nil),
        ("linux/riscv64", ["linux/riscv64"], "linux/riscv64"),
        ("linux/riscv64/x", ["linux/riscv64"], "linux/riscv64"),
        ("linux/amd64", ["unknown/unknown", "linux/amd64"], "linux/amd64"),
        ("linux/amd64", ["unknown/unknown"], nil), ("linux/amd64", [], nil),
    ]

    private func entry(_ platform: String?, _ number: Int) throws -> Descriptor {
        let parts = (platform ?? "").split(separator: "/").map(String.init)
        return Descriptor(
            mediaType: MediaType.manifest, digest: try digest("\(number)"), size: 1,
            platform: parts.count < 2
                ? nil
                : Platform(os: parts[0], architecture: parts[1], variant: parts.count > 2 ? parts[2] : nil))
    }

    @Test(arguments: choices)
    func chooses(wanted: String, offered: [String], chosen: String?) throws {
        let index = ImageIndex(manifests: try offered.enumerated().map { try entry($1, $0) })
        let platform = try Platform(wanted)
        if let chosen {
            #expect(try index.choose(for: platform).platform?.description == chosen)
        } else {
            let failed = failure(of: { try index.choose(for: platform) })
            #expect(failed?.code == .notFound)
            #expect(failed?.message.contains(wanted) == true)
            for text in offered where text != "unknown/unknown" {
                #expect(failed?.message.contains(text) == true)
            }
        }
    }

    @Test func attestationsAndOthersAreSkipped() throws {
        var attestation = try entry("linux/amd64", 1)
        attestation.annotations = [AnnotationKey.dockerReferenceType: "attestation-manifest"]
        var blob = try entry("linux/amd64", 2)
        blob.mediaType = MediaType.layerGzip
        var signature = try entry(nil, 3)
        signature.artifactType = "application/vnd.dev.cosign.artifact.sig.v1+json"
        let image = try entry("linux/amd64", 4)
        let index = ImageIndex(manifests: [attestation, blob, signature, image, try entry("linux/amd64", 5)])
        #expect(try index.choose(for: Platform("linux/amd64")) == image)
        #expect(index.platforms.map(\.description) == ["linux/amd64"])
    }

    @Test func soleEntryWithoutPlatform() throws {
        let plain = try entry(nil, 1)
        #expect(try ImageIndex(manifests: [plain]).choose(for: .host) == plain)
        let two = ImageIndex(manifests: [plain, try entry(nil, 2)])
        #expect(failure(of: { try two.choose(for: .host) })?.code == .notFound)
    }

    @Test func jsonNames() throws {
        var platform = Platform(os: "windows", architecture: "amd64")
        platform.osVersion = "10.0"
        platform.osFeatures = ["win32k"]
        #expect(
            text(try JSON.encode(platform))
                == #"{"architecture":"amd64","os":"windows","os.features":["win32k"],"os.version":"10.0"}"#)
    }
}
