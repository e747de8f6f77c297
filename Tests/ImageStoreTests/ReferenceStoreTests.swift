import Failure
import ImageStore
import LinuxSystem
import OCI
import Testing

@Suite struct ReferenceStoreTests {
    let store: TemporaryStore
    var references: ReferenceStore { store.references }

    init() throws { store = try TemporaryStore() }

    private func parse(_ text: String) throws -> Reference { try Reference.parse(text) }

    @Test(arguments: [
        (
            "redis:7",
            ["redis:7", "docker.io/library/redis:7", "library/redis:7", "index.docker.io/library/redis:7"]
        ),
        ("redis", ["redis", "redis:latest", "docker.io/library/redis"]),
        ("127.0.0.1:5000/debian:12", ["127.0.0.1:5000/debian:12"]),
        ("localhost/a/b/c", ["localhost/a/b/c:latest", "localhost/a/b/c"]),
    ])
    func anImageIsFoundByEveryFormOfItsName(_ name: String, _ forms: [String]) throws {
        let image = try store.image(name, content: "x")
        for form in forms {
            #expect(try references.resolve(form) == image)
            #expect(try references.record(of: try parse(form)) == image)
        }
        #expect(failure { _ = try references.resolve("\(name)x") }?.code == .notFound)
    }

    @Test func anImageIsFoundByItsID() throws {
        let a = try store.image("a", content: "a")
        _ = try store.image("b", content: "b")
        for form in [
            a.id.hex, "\(a.id)", String(a.id.hex.prefix(12)), "sha256:" + a.id.hex.prefix(10), a.id.hex,
        ] {
            #expect(try references.resolve(form).id == a.id)
        }
        #expect(try references.resolve(a.manifest.digest.hex).id == a.id)
        let missing = String(repeating: "0", count: 64)
        let failed = failure { _ = try references.resolve(missing) }
        #expect(failed?.code == .notFound)
        #expect(failed?.message == "no such image: \(missing)")
    }

    @Test func aBeginningOfSeveralIDsIsAmbiguous() throws {
        var byFirst: [Character: String] = [:]
        for i in 0..<40 {
            let image = try store.image("i:\(i)", content: "\(i)")
            let first = try #require(image.id.hex.first)
            if byFirst.updateValue(image.id.hex, forKey: first) != nil {
                let failed = try #require(failure { _ = try references.resolve("sha256:\(first)") })
                #expect(failed.code == .conflict)
                #expect(failed.hint != nil)
                return
            }
        }
        Issue.record("40 digests with 40 different first digits")
    }

    @Test func twoNamesOfOneImageAreNotAmbiguous() throws {
        let a = try store.image("a", content: "a")
        try references.tag(a, as: try parse("b:1"))
        #expect(try references.resolve(a.id.short).id == a.id)
        #expect(try references.list().images.map { $0.reference?.familiar } == ["a:latest", "b:1"])
    }

    @Test func aNameWinsOverAnID() throws {
        let a = try store.image("a", content: "a")
        let short = String(a.id.hex.prefix(6))
        let b = try store.image(short, content: "b")
        #expect(try references.resolve(short).id == b.id)
        #expect(try references.resolve("sha256:\(short)").id == a.id)
    }

    @Test func anImageIsFoundByNameAndDigest() throws {
        var index = try describe(noise(10), mediaType: MediaType.index)
        index.size = 10
        let image = try store.image("host:5000/r:1", content: "r", target: index)
        #expect(try references.resolve("host:5000/r@\(index.digest)") == image)
        #expect(try references.resolve("host:5000/r@\(image.manifest.digest)") == image)
        #expect(try references.resolve("host:5000/r:other@\(index.digest)") == image)
        #expect(failure { _ = try references.resolve("host:5000/q@\(index.digest)") }?.code == .notFound)
        let byDigest = try store.image("host:5000/q@\(index.digest)", content: "r")
        #expect(try references.resolve("host:5000/q@\(index.digest)").id == byDigest.id)
    }

    @Test func aNameThatIsNoNameIsRefused() throws {
        for text in ["", "UPPER", "a//b", "a:b:c", "../x", "a b"] {
            let code = failure { _ = try references.resolve(text) }?.code
            #expect(code == .invalidArgument, "\(text)")
        }
    }

    @Test func longNamesHaveAFileToo() throws {
        let component = String(repeating: "a", count: 40)
        let long =
            "h:1/" + Array(repeating: component, count: 5).joined(separator: "/") + ":"
            + String(repeating: "t", count: 128)
        let image = try store.image(long, content: "long")
        #expect(try references.resolve(long) == image)
        let files = try store.names("refs")
        #expect(files.count == 1 && files[0].utf8.count <= 240 && files[0].hasPrefix("%"))
        _ = try references.remove(long, force: false) { _ in [] }
        #expect(try store.names("refs").isEmpty)
    }

    @Test func theFileOfANameSaysTheName() throws {
        try store.image("127.0.0.1:5000/a_b/c-d:1.0", content: "x")
        #expect(try store.names("refs") == ["127.0.0.1:5000%2Fa_b%2Fc-d:1.0"])
    }

    @Test func aMovedTagLeavesAnImageWithoutAName() throws {
        let old = try store.image("app:1", content: "old")
        let new = try store.image("app:1", content: "new")
        #expect(try references.resolve("app:1").id == new.id)
        let left = try references.resolve(old.id.short)
        #expect(left.reference == nil)
        #expect(left.id == old.id)
        #expect(try references.list().images.map { $0.reference?.familiar } == ["app:1", nil])
        // Named again, it is no longer without a name.
        try references.tag(left, as: try parse("app:0"))
        #expect(try references.list().images.map { $0.reference?.familiar } == ["app:0", "app:1"])
    }

    @Test func aMovedTagOfAnImageWithAnotherNameLeavesNothing() throws {
        let old = try store.image("app:1", content: "old")
        try references.tag(old, as: try parse("app:keep"))
        try store.image("app:1", content: "new")
        #expect(try references.list().images.count == 2)
    }

    @Test func theSameImagePulledAgainIsOneRecord() throws {
        try store.image("app:1", content: "x")
        try store.image("app:1", content: "x")
        #expect(try store.names("refs").count == 1)
    }

    @Test func aDigestIsNoTag() throws {
        let image = try store.image("a", content: "a")
        #expect(
            failure { try references.tag(image, as: try parse("b@\(image.id)")) }?.code == .invalidArgument)
    }

    @Test func aDamagedRecordHidesNoOther() throws {
        let good = try store.image("good", content: "g")
        try store.image("bad", content: "b")
        try store.write(Array("ctr-image 1\n".utf8), to: "refs/docker.io%2Flibrary%2Fbad:latest")
        let listing = try references.list()
        #expect(listing.images == [good])
        #expect(listing.damaged.count == 1)
        let failed = try #require(failure { _ = try references.resolve("bad") })
        #expect(failed.code == .dataLoss)
        #expect(failed.message.contains("bad"))
        #expect(try references.remove("bad", force: false) { _ in [] }.untagged == ["bad:latest"])
        #expect(try references.list().damaged.isEmpty)
    }

    @Test func aRecordWithABrokenDigestIsDamaged() throws {
        let image = try store.image("bad", content: "b")
        let text = String(decoding: image.encoded(), as: UTF8.self)
        let broken = text.replacing("sha256:", with: "sha1:")
        try store.write(Array(broken.utf8), to: "refs/docker.io%2Flibrary%2Fbad:latest")
        #expect(failure { _ = try references.resolve("bad") }?.code == .dataLoss)
        #expect(try references.remove("bad", force: false) { _ in [] }.untagged == ["bad:latest"])
    }

    @Test func whatAKilledWriteLeftIsCleared() throws {
        try store.image("a", content: "a")
        try store.write(Array("half".utf8), to: "refs/.docker.io%2Flibrary%2Fb:latest.0011")
        #expect(try references.list().images.count == 1)
        #expect(try references.list().damaged.isEmpty)
        try store.image("c", content: "c")
        #expect(try store.names("refs").allSatisfy { !$0.hasPrefix(".") })
    }

    @Test func manyTagsAtOnce() throws {
        let image = try store.image("a", content: "a")
        let references = references
        try inThreads(16) { i in try references.tag(image, as: try Reference.parse("a:\(i)")) }
        #expect(try references.list().images.count == 17)
        let index = try ImageIndex(bytes: Array(try store.text("content/index.json").utf8), mediaType: nil)
        #expect(index.manifests.count == 34)
    }

    @Test func theIndexListsTagsUnderBothNames() throws {
        let a = try store.image("redis:7", content: "a")
        let b = try store.image("127.0.0.1:5000/debian:12", content: "b")
        let index = try ImageIndex(bytes: Array(try store.text("content/index.json").utf8), mediaType: nil)
        #expect(
            index.manifests.map { $0.annotations?["org.opencontainers.image.ref.name"] } == [
                "127.0.0.1:5000/debian:12", "docker.io/library/redis:7", "redis:7",
            ])
        #expect(
            index.manifests.map { $0.annotations?["io.containerd.image.name"] } == [
                "127.0.0.1:5000/debian:12", "docker.io/library/redis:7", "docker.io/library/redis:7",
            ])
        #expect(index.manifests.map(\.digest) == [b.manifest.digest, a.manifest.digest, a.manifest.digest])
        #expect(index.manifests.allSatisfy { $0.platform?.architecture == "amd64" })
        _ = try references.remove("redis:7", force: false) { _ in [] }
        let after = try ImageIndex(bytes: Array(try store.text("content/index.json").utf8), mediaType: nil)
        #expect(after.manifests.count == 1)
    }
}

@Suite struct ImageRemovalTests {
    let store: TemporaryStore
    var references: ReferenceStore { store.references }

    init() throws { store = try TemporaryStore() }

    private func remove(_ text: String, force: Bool = false, users: [ImageUser] = []) throws -> ImageRemoval {
        try references.remove(text, force: force) { _ in users }
    }

    @Test func aNameOfSeveralIsOnlyTakenAway() throws {
        let image = try store.image("a", content: "x")
        try references.tag(image, as: try Reference.parse("b"))
        let users = [ImageUser(container: "c1", running: true)]
        #expect(try remove("a", users: users) == ImageRemoval(untagged: ["a:latest"]))
        #expect(try remove("b") == ImageRemoval(untagged: ["b:latest"], deleted: image.id))
        #expect(failure { _ = try remove("b") }?.code == .notFound)
    }

    @Test func theLastNameTakesTheRepoDigestAlong() throws {
        var image = try store.image("a:1", content: "x", record: false)
        let digest = "docker.io/library/a@\(image.target.digest)"
        image.repoDigests = [digest]
        try references.put(image)
        #expect(
            try remove("a:1")
                == ImageRemoval(untagged: ["a:1", "a@\(image.target.digest)"], deleted: image.id))
    }

    @Test func byIDAllNamesOfOneRepositoryOnlyWithForce() throws {
        let image = try store.image("a:1", content: "x")
        #expect(try remove(image.id.short) == ImageRemoval(untagged: ["a:1"], deleted: image.id))
        try references.put(image)
        try references.tag(image, as: try Reference.parse("b:2"))
        let failed = try #require(failure { _ = try remove(image.id.short) })
        #expect(failed.code == .conflict)
        #expect(failed.message.contains("a:1, b:2"))
        #expect(
            try remove(image.id.short, force: true)
                == ImageRemoval(untagged: ["a:1", "b:2"], deleted: image.id))
        #expect(try references.list().images.isEmpty)
    }

    @Test func anImageInUseStays() throws {
        let image = try store.image("a", content: "x")
        let stopped = [ImageUser(container: "web", running: false)]
        let running = [ImageUser(container: "web", running: true)]
        for name in ["a", image.id.short] {
            #expect(failure { _ = try remove(name, users: stopped) }?.code == .conflict)
            #expect(failure { _ = try remove(name, force: true, users: running) }?.code == .conflict)
        }
        #expect(try references.resolve("a") == image)
        #expect(try remove("a", force: true, users: stopped).deleted == image.id)
    }

    @Test func anImageWithoutANameGoesByItsID() throws {
        let old = try store.image("a", content: "old")
        try store.image("a", content: "new")
        #expect(try remove(old.id.hex) == ImageRemoval(untagged: [], deleted: old.id))
        #expect(try references.list().images.count == 1)
    }

    @Test func aNameByDigestGoesWithTheLastTagOfItsRepository() throws {
        let image = try store.image("a:1", content: "x")
        try store.image("a@\(image.manifest.digest)", content: "x")
        #expect(try references.list().images.count == 2)
        let removal = try remove("a:1")
        #expect(
            removal.untagged == ["a:1", "a@\(image.manifest.digest)"].sorted() || removal.deleted == image.id)
        #expect(removal.deleted == image.id)
        #expect(try references.list().images.isEmpty)
    }
}
