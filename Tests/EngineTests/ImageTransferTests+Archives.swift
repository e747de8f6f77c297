import Transfers
import Engine
import Failure
import Glibc
import LinuxSystem
import OCI
import ScriptedRegistry
import Testing

@Suite("Import, save, load, login", .enabled(if: Process.isRoot, "needs root"), .serialized)
struct ImageArchiveTransferTests {
    let scratch: ScratchRoot

    init() throws { scratch = try ScratchRoot() }

    private static var tar: [UInt8] {
        var tar = TarBytes()
        tar.directory("bin")
        tar.file("bin/tool", "#!/bin/sh\n", mode: 0o755)
        return tar.whole
    }

    @Test func aTarBecomesAnImage() async throws {
        let path = try scratch.write(Self.tar, to: "layer.tar")
        var request = ImportRequest(source: path)
        request.reference = "tool:1"
        request.changes = [
            #"CMD ["/bin/tool"]"#, "ENV A=1 B='2 3'", "EXPOSE 80 53/udp", "WORKDIR srv", "LABEL a=b",
        ]
        let id = try scratch.engine.importImage(request)
        let details = try scratch.engine.inspectImage("tool:1")
        #expect(details.id == id)
        #expect(details.settings.cmd == ["/bin/tool"])
        #expect(details.settings.env == ["A=1", "B=2 3"])
        #expect(details.settings.exposedPorts == ["53/udp", "80/tcp"])
        #expect(details.settings.workingDir == "/srv")
        #expect(details.settings.labels == ["a": "b"])
        let layer = try #require(details.diffIDs.first).dropFirst("sha256:".count)
        #expect(scratch.read("layers/\(layer)/fs/bin/tool") == "#!/bin/sh\n")
        // A plain tar is kept as it came.
        #expect(scratch.names("content/blobs/sha256").contains(String(layer)))
        #expect(try scratch.engine.history("tool:1").map(\.size) == [10])
        #expect(scratch.leftovers == [])
    }

    @Test func whatIsNoImageIsRefused() async throws {
        let empty = try scratch.write([], to: "empty")
        #expect(
            await failure { _ = try scratch.engine.importImage(ImportRequest(source: empty)) }?.code
                == .invalidArgument)
        let text = try scratch.write(Array(repeating: UInt8(ascii: "x"), count: 5000), to: "text")
        #expect(await failure { _ = try scratch.engine.importImage(ImportRequest(source: text)) } != nil)
        #expect(
            await failure {
                _ = try scratch.engine.importImage(ImportRequest(source: "https://example.invalid/x.tar"))
            }?.code
                == .unsupported)
        #expect(
            await failure { _ = try scratch.engine.importImage(ImportRequest(source: "/no/such/file")) }?.code
                == .notFound)
        for change in ["RUN true", "USER", "EXPOSE 99999", "ENV =x", "HEALTHCHECK maybe"] {
            var request = ImportRequest(source: empty)
            request.changes = [change]
            #expect(
                await failure { _ = try scratch.engine.importImage(request) }?.message.contains(change)
                    == true)
        }
        #expect(try scratch.engine.images(matching: nil).isEmpty)
        #expect(scratch.names("layers") == [])
        #expect(scratch.leftovers == [])
    }

    @Test func aSavedImageIsTheSameElsewhere() async throws {
        let path = try scratch.write(Self.tar, to: "layer.tar")
        var request = ImportRequest(source: path)
        request.reference = "tool:1"
        let id = try scratch.engine.importImage(request)
        let archive = "\(scratch.path)/saved.tar"
        let file = try FileDescriptor.open(archive, [.readWrite, .create])
        try scratch.engine.save(["tool"].map { $0 + ":1" }, to: file.raw)
        let other = try ScratchRoot()
        let loaded = try other.engine.load(from: archive)
        #expect(loaded.map(\.name) == ["tool:1"])
        #expect(loaded.map(\.id) == [id])
        let layer = try #require(try other.engine.inspectImage("tool:1").diffIDs.first).dropFirst(
            "sha256:".count)
        #expect(other.read("layers/\(layer)/fs/bin/tool") == "#!/bin/sh\n")
        #expect(other.leftovers == [])
    }

    @Test func aLogoutKeepsWhatBelongsToOthers() async throws {
        let path = try scratch.write(
            Array(#"{"auths":{"host.test:5000":{"auth":"YTpi"},"other.test":{"auth":"YTpi"}},"x":1}"#.utf8),
            to: "auth.json")
        setenv("REGISTRY_AUTH_FILE", path, 1)
        defer { unsetenv("REGISTRY_AUTH_FILE") }
        #expect(try scratch.engine.logout("https://host.test:5000/v2/"))
        #expect(try !scratch.engine.logout("host.test:5000"))
        let text = try #require(scratch.read("auth.json"))
        #expect(!text.contains("host.test:5000"))
        #expect(text.contains("other.test"))
        #expect(text.contains(#""x""#))
        #expect(try FileDescriptor.status(path).permissions == 0o600)
    }

    @Test func aLoginIsKeptOnlyWhenTheRegistryTakesIt() async throws {
        let registry = ScriptedRegistry()
        try registry.start()
        registry.authenticate(by: .basic(user: "me", password: "secret"))
        var image = RegistryImage(registry, "app")
        image.add(Self.tar)
        try image.finish(tag: "1")
        let path = "\(scratch.path)/new/auth.json"
        setenv("REGISTRY_AUTH_FILE", path, 1)
        defer { unsetenv("REGISTRY_AUTH_FILE") }
        let name = "\(registry.domain)/app:1"
        let pull = { [scratch] in
            _ = try await away {
                try scratch.engine.pull(name, platform: nil, allTags: false, progress: SilentProgress())
            }
        }
        let login = { [scratch, registry] (password: String) in
            try await away { try scratch.engine.login(registry.domain, user: "me", password: password) }
        }
        #expect(await failure(pull)?.code == .unauthenticated)
        #expect(
            await failure { _ = try await login("wrong") }?.code
                == .unauthenticated)
        #expect(scratch.read("new/auth.json") == nil)
        #expect(try await login("secret") == path)
        #expect(try FileDescriptor.status(path).permissions == 0o600)
        try await pull()
        #expect(try scratch.engine.logout(registry.domain))
    }

    @Test func aCredentialHelperIsAsked() async throws {
        let registry = ScriptedRegistry()
        try registry.start()
        registry.authenticate(by: .basic(user: "me", password: "secret"))
        var image = RegistryImage(registry, "app")
        image.add(Self.tar)
        try image.finish(tag: "1")
        let helper = """
            #!/bin/sh
            read server
            [ "$1" = get ] && [ "$server" = "\(registry.domain)" ] || { echo "credentials not found in native keychain"; exit 1; }
            echo '{"ServerURL":"x","Username":"me","Secret":"secret"}'
            """
        let program = try scratch.write(Array((helper + "\n").utf8), to: "docker-credential-test")
        try FileDescriptor.open(program, [.readOnly]).changeMode(0o755)
        let path = try scratch.write(Array(#"{"credsStore":"test"}"#.utf8), to: "auth.json")
        let formerPath = Process.environmentValue("PATH") ?? ""
        setenv("REGISTRY_AUTH_FILE", path, 1)
        setenv("PATH", "\(scratch.path):\(formerPath)", 1)
        defer {
            unsetenv("REGISTRY_AUTH_FILE")
            setenv("PATH", formerPath, 1)
        }
        let pulled = try await away { [scratch, registry] in
            try scratch.engine.pull(
                "\(registry.domain)/app:1", platform: nil, allTags: false, progress: SilentProgress())
        }
        #expect(pulled.count == 1)
    }
}
