import Failure
import OCI
import Testing

private let hex = String(repeating: "0", count: 64)

@Suite struct ImageConfigTests {
    /// What docker writes, with its nulls and its fields that image-spec does not know.
    static let docker = #"""
        {"architecture":"amd64","os":"linux","variant":"v2","os.version":"1","os.features":["f"],
         "created":"2026-01-02T03:04:05.6Z","author":"me","docker_version":"27","container":"x",
         "container_config":{"Cmd":null},
         "config":{"Hostname":"","AttachStdin":false,"User":"redis:redis","ExposedPorts":{"6379/tcp":{},"53/udp":{}},
           "Env":["PATH=/bin","A="],"Entrypoint":null,"Cmd":["redis-server"],"Image":"sha256:x",
           "Volumes":{"/data":{},"/a":null},"WorkingDir":"/data","OnBuild":["RUN x"],"Labels":null,
           "StopSignal":"SIGINT","ArgsEscaped":true,"Shell":["/bin/sh","-c"],"StopTimeout":7,
           "Healthcheck":{"Test":["CMD-SHELL","x"],"Interval":30000000000,"Timeout":1,"StartPeriod":2,
             "StartInterval":3,"Retries":4}},
         "rootfs":{"type":"layers","diff_ids":["sha256:HEX"]},
         "history":[{"created":"2026-01-02T03:04:05Z","created_by":"ADD","comment":"c","author":"a"},
           {"created_by":"CMD","empty_layer":true}]}
        """#.replacing("HEX", with: hex)

    @Test func dockersConfig() throws {
        let config = try ImageConfig(bytes: Array(Self.docker.utf8))
        #expect(config.platform.description == "linux/amd64/v2")
        #expect(config.osFeatures == ["f"])
        #expect(config.rootfs.diffIDs == [try digest("0")])
        #expect(config.history?.count == 2)
        #expect(config.history?[1].emptyLayer == true)
        let settings = try #require(config.config)
        #expect(settings.user == "redis:redis")
        #expect(settings.exposedPorts == ["53/udp", "6379/tcp"])
        #expect(settings.volumes == ["/a", "/data"])
        #expect(settings.entrypoint == nil)
        #expect(settings.labels == nil)
        #expect(settings.env == ["PATH=/bin", "A="])
        #expect(settings.onBuild == ["RUN x"])
        #expect(settings.shell == ["/bin/sh", "-c"])
        #expect(settings.stopTimeout == 7)
        #expect(settings.healthcheck?.test == ["CMD-SHELL", "x"])
        #expect(settings.healthcheck?.interval == 30_000_000_000)
        #expect(settings.healthcheck?.startInterval == 3)
        #expect(settings.healthcheck?.retries == 4)
        #expect(try ImageConfig(bytes: JSON.encode(config)) == config)
    }

    @Test func nullsEverywhere() throws {
        let bytes = Array(
            #"{"architecture":"arm64","os":"linux","config":null,"history":null,"rootfs":{"type":"layers","diff_ids":null}}"#
                .utf8)
        let config = try ImageConfig(bytes: bytes)
        #expect(config.rootfs.diffIDs.isEmpty)
        #expect(config.config == nil)
    }

    @Test func writtenForm() throws {
        var settings = ImageConfig.Settings()
        settings.volumes = ["/b", "/a", "/b"]
        settings.labels = ["k": "a/b"]
        settings.cmd = []
        let config = ImageConfig(
            platform: Platform(os: "linux", architecture: "arm64", variant: "v8"), config: settings,
            diffIDs: [try digest("1")], history: [.init(createdBy: "ctr import")])
        #expect(
            text(try JSON.encode(config))
                == #"{"architecture":"arm64","config":{"Cmd":[],"Labels":{"k":"a/b"},"Volumes":{"/a":{},"/b":{}}},"history":[{"created_by":"ctr import"}],"os":"linux","rootfs":{"diff_ids":["\#(try digest("1"))"],"type":"layers"},"variant":"v8"}"#
        )
    }

    @Test(arguments: [
        (
            #""diff_ids":["sha256:HEX"]"#, #""diff_ids":["x"]"#,
            #"image config: rootfs.diff_ids.0: "x" is not a sha256 or sha512 digest"#
        ),
        (#""type":"layers""#, #""type":"other""#, #"image config: rootfs.type: "other" is not "layers""#),
        (#""os":"linux","#, "", "image config: os: missing"),
        (#"["PATH=/bin","A="]"#, #"{"PATH":"/bin"}"#, "image config: config.Env: not a list"),
        (#"["PATH=/bin","A="]"#, "[null]", "image config: config.Env.0: null where a string is needed"),
        (#""Labels":null"#, #""Labels":{"a":1}"#, "image config: config.Labels.a: not a string"),
        (#"{"6379/tcp":{},"53/udp":{}}"#, #"["6379"]"#, "image config: config.ExposedPorts: not an object"),
    ])
    func refuses(part: String, replacement: String, message: String) {
        let original = part.replacing("HEX", with: hex)
        #expect(Self.docker.contains(original))
        let bytes = Array(Self.docker.replacing(original, with: replacement).utf8)
        #expect(failure(of: { try ImageConfig(bytes: bytes) })?.message == message)
    }

    @Test func chainIDs() throws {
        var asked: [String] = []
        let diffIDs = [try digest("a"), try digest("b"), try digest("c")]
        let answers = [try digest("1"), try digest("2")]
        let chain = ChainID.chain(diffIDs) { text in
            asked.append(text)
            return answers[asked.count - 1]
        }
        #expect(chain == [diffIDs[0], answers[0], answers[1]])
        #expect(asked == ["\(diffIDs[0]) \(diffIDs[1])", "\(answers[0]) \(diffIDs[2])"])
        #expect(ChainID.chain([]) { _ in diffIDs[0] }.isEmpty)
    }

    @Test func layout() throws {
        #expect(text(try JSON.encode(ImageLayout())) == #"{"imageLayoutVersion":"1.0.0"}"#)
        #expect(
            failure(of: { try ImageLayout(bytes: Array(#"{"imageLayoutVersion":"2.0.0"}"#.utf8)) })?.code
                == .unsupported)
        #expect(
            ImageLayout.blobPath(try digest("ab")) == "blobs/sha256/ab" + String(repeating: "0", count: 62))
    }

    @Test func dockerArchive() throws {
        let images = try DockerArchive.images(
            bytes: Array(
                #"[{"Config":"a.json","RepoTags":["redis:7"],"Layers":["l/layer.tar"],"LayerSources":{}},{"Config":"b","RepoTags":null,"Layers":null}]"#
                    .utf8))
        #expect(images.map(\.repoTags) == [["redis:7"], nil])
        #expect(images[1].layers.isEmpty)
        #expect(
            text(try JSON.encode([images[0]]))
                == #"[{"Config":"a.json","Layers":["l/layer.tar"],"RepoTags":["redis:7"]}]"#)
        #expect(
            failure(of: { try DockerArchive.images(bytes: Array(#"[{"Layers":[]}]"#.utf8)) })?.message
                == "manifest.json: 0.Config: missing")
    }
}
