import Failure
import OCI
import Testing

private let hex = String(repeating: "0", count: 64)

/// `D(type)` stands for a descriptor of that type, so that the documents below stay readable.
private func document(_ template: String) -> [UInt8] {
    var result = ""
    var rest = template[...]
    while let mark = rest.range(of: "D(") {
        let end = rest[mark.upperBound...].firstIndex(of: ")") ?? rest.endIndex
        result += rest[..<mark.lowerBound]
        result += #"{"mediaType":"\#(rest[mark.upperBound..<end])","digest":"sha256:\#(hex)","size":3}"#
        rest = rest[end...].dropFirst()
    }
    return Array((result + rest).utf8)
}

extension Substring {
    fileprivate func range(of needle: String) -> Range<Index>? { firstRange(of: needle) }
}

@Suite struct ManifestTests {
    @Test func ociManifest() throws {
        let bytes = document(
            #"""
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/b",
             "config":D(application/vnd.oci.image.config.v1+json),
             "layers":[D(application/vnd.oci.image.layer.v1.tar+gzip),
               {"mediaType":"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip","size":0,
                "digest":"sha256:HEX","urls":["https://example.com/l"],"annotations":{"k":"v"},"new":[{}]}],
             "subject":D(application/vnd.oci.image.manifest.v1+json),
             "annotations":{"a":"b"},"later":{"unknown":[1,2,{"x":null}]}}
            """#.replacing("HEX", with: hex))
        let manifest = try Manifest(bytes: bytes, mediaType: MediaType.manifest + "; charset=utf-8")
        #expect(manifest.config.mediaType == MediaType.config)
        #expect(manifest.layers.count == 2)
        #expect(manifest.layers[1].urls == ["https://example.com/l"])
        #expect(MediaType.isForeignLayer(manifest.layers[1].mediaType))
        #expect(manifest.artifactType == "a/b")
        #expect(manifest.subject?.size == 3)
        #expect(manifest.annotations == ["a": "b"])
        #expect(try Manifest(bytes: bytes, mediaType: nil) == manifest)
        #expect(try Manifest(bytes: bytes, mediaType: "text/plain") == manifest)
        #expect(try Manifest(bytes: JSON.encode(manifest), mediaType: nil) == manifest)
    }

    @Test func withoutMediaTypeOrLayers() throws {
        let bytes = document(#"{"schemaVersion":2,"config":D(c/d),"layers":null}"#)
        #expect(try Manifest(bytes: bytes, mediaType: nil).layers.isEmpty)
        #expect(try Manifest(bytes: bytes, mediaType: MediaType.dockerManifest).mediaType == nil)
        let index = document(#"{"schemaVersion":2,"manifests":[]}"#)
        #expect(try ImageIndex(bytes: index, mediaType: nil).manifests.isEmpty)
    }

    static let refused: [(String, String?, Failure.Code, String)] = [
        // CVE-2021-41190 and its kin.
        (#"{"schemaVersion":2,"config":D(c/d),"layers":[],"manifests":[]}"#, nil, .invalidArgument, "41190"),
        (#"{"schemaVersion":2,"layers":[],"manifests":[]}"#, MediaType.manifest, .invalidArgument, "41190"),
        (#"{"schemaVersion":2,"config":D(c/d),"manifests":[]}"#, MediaType.index, .invalidArgument, "41190"),
        (
            #"{"schemaVersion":2,"config":D(c/d),"layers":[],"manif\u0065sts":[]}"#, nil, .invalidArgument,
            "41190"
        ),
        (
            #"{"schemaVersion":2,"config":D(c/d),"layers":[],"Manifests":[]}"#, nil, .invalidArgument,
            "could be read as"
        ),
        (
            #"{"schemaVersion":2,"config":D(c/d),"layers":[],"l\u0041yers":[]}"#, nil, .invalidArgument,
            "could be read as"
        ),
        (#"{"schemaVersion":2,"config":D(c/d),"layers":[],"layers":[]}"#, nil, .invalidArgument, "twice"),
        (
            #"{"schemaVersion":2,"config":D(c/d),"layers":[],"l\u0061yers":[]}"#, nil, .invalidArgument,
            "twice"
        ),
        (#"{"schemaVersion":2,"config":D(c/d),"layers":[],"x":1,"x":2}"#, nil, .invalidArgument, "twice"),
        // Types that contradict each other.
        (
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","config":D(c/d),"layers":[]}"#,
            nil, .invalidArgument, "its type says otherwise"
        ),
        (
            #"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","manifests":[]}"#,
            nil, .invalidArgument, "its type says otherwise"
        ),
        (
            #"{"schemaVersion":2,"manifests":[]}"#, MediaType.manifest, .invalidArgument,
            "its type says otherwise"
        ),
        (
            #"{"schemaVersion":2,"config":D(c/d),"layers":[]}"#, MediaType.dockerManifestList,
            .invalidArgument, "its type says otherwise"
        ),
        (
            #"{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":D(c/d),"layers":[]}"#,
            MediaType.manifest, .invalidArgument, "given as"
        ),
        (
            #"{"schemaVersion":2,"mediaType":"application/x","config":D(c/d),"layers":[]}"#, nil,
            .invalidArgument, "application/x"
        ),
        (
            #"{"schemaVersion":2,"config":D(c/d),"layers":[]}"#, "application/vnd.oci.image.config.v1+json",
            .invalidArgument, "not the type"
        ),
        (#"<html>"#, "text/html", .invalidArgument, "text/html"),
        // Versions.
        (#"{"schemaVersion":1,"name":"a","fsLayers":[],"signatures":[]}"#, nil, .unsupported, "schema 1"),
        (#"{}"#, MediaType.dockerSchema1Signed, .unsupported, "schema 1"),
        (#"{"schemaVersion":3,"config":D(c/d),"layers":[]}"#, nil, .invalidArgument, "3, not 2"),
        (#"{"config":D(c/d),"layers":[]}"#, nil, .invalidArgument, "schemaVersion: missing"),
        (
            #"{"schemaVersion":"2","config":D(c/d),"layers":[]}"#, nil, .invalidArgument,
            "schemaVersion: not a whole number"
        ),
        // Missing and wrong parts.
        (#"{"schemaVersion":2}"#, nil, .invalidArgument, "no manifests and no layers"),
        (#"{"schemaVersion":2,"layers":[]}"#, nil, .invalidArgument, "image manifest: config: missing"),
        (#"{"schemaVersion":2,"config":D(c/d)}"#, nil, .invalidArgument, "layers: missing"),
        (#"{"schemaVersion":2}"#, MediaType.index, .invalidArgument, "manifests: missing"),
        (
            #"{"schemaVersion":2,"config":D(c/d),"layers":[D(l/m),{"mediaType":"l/m","digest":"sha256:0","size":1}]}"#,
            nil, .invalidArgument, "image manifest: layers.1.digest: "
        ),
        (
            #"{"schemaVersion":2,"config":D(c/d),"layers":[{"mediaType":"l/m","digest":"sha256:HEX","size":-5}]}"#,
            nil, .invalidArgument, "layers.0.size: -5 is negative"
        ),
        (
            #"{"schemaVersion":2,"config":D(c/d),"layers":[{"mediaType":"l/m","digest":"sha256:HEX","size":9223372036854775808}]}"#,
            nil, .invalidArgument, "layers.0.size: "
        ),
        (#"{"schemaVersion":2,"config":D(c/d),"layers":{}}"#, nil, .invalidArgument, "layers: not a list"),
        (
            #"{"schemaVersion":2,"manifests":[D(m/n),7]}"#, nil, .invalidArgument,
            "image index: manifests.1: not an object"
        ),
        (#"[]"#, nil, .invalidArgument, "not an object"), (#"null"#, nil, .invalidArgument, ""),
        (#""#, nil, .invalidArgument, "not valid JSON"),
        (#"{"schemaVersion":2,"#, nil, .invalidArgument, "not valid JSON"),
    ]

    @Test(arguments: refused)
    func refuses(template: String, mediaType: String?, code: Failure.Code, reason: String) {
        let bytes = document(template.replacing("HEX", with: hex))
        let failed = failure(of: { try ImageDocument(bytes: bytes, mediaType: mediaType) })
        #expect(failed?.code == code)
        #expect(failed?.message.contains(reason) == true, "\(failed?.message ?? "")")
    }

    @Test func wrongKind() {
        let index = document(#"{"schemaVersion":2,"manifests":[]}"#)
        #expect(
            failure(of: { try Manifest(bytes: index, mediaType: nil) })?.message.contains("is an image index")
                == true)
        let manifest = document(#"{"schemaVersion":2,"config":D(c/d),"layers":[]}"#)
        #expect(
            failure(of: { try ImageIndex(bytes: manifest, mediaType: nil) })?.message.contains(
                "is an image manifest") == true)
    }

    @Test func bombs() {
        for nested in ["[", #"{"a":"#] {
            let bytes = Array((#"{"schemaVersion":2,"x":"# + String(repeating: nested, count: 100_000)).utf8)
            #expect(
                failure(of: { try ImageDocument(bytes: bytes, mediaType: nil) })?.message.contains("deeper")
                    == true)
        }
        let large = Array(repeating: UInt8(ascii: " "), count: JSON.documentLimit + 1)
        #expect(
            failure(of: { try ImageDocument(bytes: large, mediaType: nil) })?.message.contains(
                "more than the 4194304") == true)
        #expect(
            failure(of: { try ImageIndex(bytes: [0x20, 0x20], mediaType: nil, limit: 1) })?.message.contains(
                "more than the 1 ") == true)
    }

    /// As many top-level fields as fit cost no more than a moment.
    @Test(.timeLimit(.minutes(1))) func manyFields() {
        let fields = (0..<50_000).map { #""k\#($0)":0"# }.joined(separator: ",")
        let bytes = document(#"{"schemaVersion":2,"config":D(c/d),"layers":[],"# + fields + "}")
        #expect(throws: Never.self) { try Manifest(bytes: bytes, mediaType: nil) }
    }

    /// Every prefix and every changed byte of a document ends in a value or a Failure.
    @Test func mutations() {
        let bytes = document(
            #"{"schemaVersion":2,"config":D(c/d),"layers":[D(l/m)],"annotations":{"a":"\u00e4"}}"#)
        for end in bytes.indices {
            #expect(throws: Failure.self) { try ImageDocument(bytes: Array(bytes[..<end]), mediaType: nil) }
        }
        for index in bytes.indices {
            for replacement: UInt8 in [0x00, 0x22, 0x5C, 0x7B, 0x5D, 0xFF] {
                var changed = bytes
                changed[index] = replacement
                do {
                    _ = try ImageDocument(bytes: changed, mediaType: nil)
                } catch {
                    #expect(!error.message.isEmpty)
                }
            }
        }
    }

    @Test func inlineData() throws {
        var descriptor = Descriptor(mediaType: MediaType.empty, digest: try digest("1"), size: 2)
        #expect(descriptor.inlineData == nil)
        descriptor.data = "e30="
        #expect(descriptor.inlineData == Array("{}".utf8))
        descriptor.size = 3
        #expect(descriptor.inlineData == nil)
        descriptor.data = "e30"
        #expect(descriptor.inlineData == nil)
    }
}
