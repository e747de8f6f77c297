import Failure
import Foundation
import LinuxSystem
import Testing
import Volumes

@Suite struct VolumeStoreTests {
    private func code(_ body: () throws -> Void) -> Failure.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? Failure)?.code
        }
    }

    /// A filling that writes one file.
    private func filling(_ text: String) -> (Int32) throws(Failure) -> Void {
        { directory throws(Failure) in
            try during("fill") { () throws(SystemError) in
                let file = try FileDescriptor.open(
                    "seed", in: directory, [.writeOnly, .create, .exclusive], mode: 0o640)
                try file.write(text)
            }
        }
    }

    @Test func `a volume is made once, listed and inspected`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        #expect(try store.list().volumes.isEmpty)
        #expect(code { _ = try store.inspect("db") } == .notFound)
        let specification = try VolumeSpecification(
            name: "db", labels: [.init("a", "b=c"), .init("n", "x\ny")])
        let (made, isNew) = try store.create(specification)
        #expect(isNew && made.name == "db" && made.label("a") == "b=c" && !made.isAnonymous)
        let again = try store.create(specification)
        #expect(!again.isNew && again.volume == made)
        #expect(try !store.create(try VolumeSpecification(name: "db")).isNew)
        try store.create(try VolumeSpecification(name: "a1"))
        #expect(try store.list().volumes.map(\.name) == ["a1", "db"])
        #expect(try store.inspect("db") == made)
        #expect(try VolumeStore.dataPath(made, root: root.path) == "\(root.path)/volumes/db/data")
        let data = try FileManager.default.attributesOfItem(atPath: "\(root.path)/volumes/db/data")
        #expect(data[.posixPermissions] as? Int == 0o755)
        #expect(try root.names(in: "volumes") == [".lock", "a1", "db"])
    }

    @Test func `other options are a conflict`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        let options: [MountRequest.KeyAndValue] = [
            .init("type", "none"), .init("o", "bind"), .init("device", "/srv/x"),
        ]
        let volume = try store.create(try VolumeSpecification(name: "db", driverOptions: options)).volume
        #expect(try volume.backing == .bind(path: "/srv/x", isReadOnly: false))
        #expect(try VolumeStore.dataPath(volume, root: root.path) == "/srv/x")
        #expect(
            try !store.create(try VolumeSpecification(name: "db", driverOptions: options.reversed())).isNew)
        let other: [MountRequest.KeyAndValue] = [.init("o", "bind"), .init("device", "/srv/y")]
        #expect(
            code { _ = try store.create(try VolumeSpecification(name: "db", driverOptions: other)) }
                == .conflict)
    }

    @Test(arguments: [
        "", "d", ".db", "-db", "a/b", "a b", "..", "é1", "db\n", String(repeating: "a", count: 256),
    ])
    func `names that are none`(_ name: String) throws {
        let store = try TemporaryRoot().store
        #expect(code { _ = try VolumeSpecification(name: name) } == .invalidArgument)
        #expect(code { try store.remove(name) } == .notFound)
        #expect(code { _ = try store.inspect(name) } == .notFound)
    }

    @Test func `drivers and file systems that are not there`() {
        #expect(code { _ = try VolumeSpecification(name: "db", driver: "nfs") } == .unsupported)
        for (options, wanted) in [
            ([("type", "tmpfs"), ("device", "tmpfs")], .unsupported),
            ([("type", "nfs"), ("o", "addr=1.2.3.4")], .unsupported),
            ([("size", "1g")], .invalidArgument), ([("o", "bind")], .invalidArgument),
            ([("o", "bind"), ("device", "x")], .invalidArgument),
            ([("o", "bind,uid=1"), ("device", "/x")], .unsupported), ([("device", "/x")], .unsupported),
        ] as [([(String, String)], Failure.Code)] {
            let options = options.map { MountRequest.KeyAndValue($0.0, $0.1) }
            #expect(
                code { _ = try VolumeSpecification(name: "db", driverOptions: options) } == wanted,
                "\(options)")
        }
    }

    @Test func `a volume in use cannot be removed, by its containers' names`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        try root.makeContainer("aaaa")
        try root.makeContainer(".new/bbbb")
        let specification = try VolumeSpecification(name: "db")
        #expect(try store.use(specification, by: "aaaa", fill: nil).isNew)
        #expect(try !store.use(specification, by: "aaaa", fill: nil).isNew)
        try store.use(specification, by: "bbbb", fill: nil)
        #expect(try store.users(of: "db") == ["aaaa", "bbbb"])
        do throws(Failure) {
            try store.remove("db")
            Issue.record("no failure")
        } catch {
            #expect(
                error.code == .conflict && error.message == "volume db is in use by containers aaaa, bbbb")
            #expect(error.hint == "Remove them first: ctr rm aaaa bbbb.")
        }
        try store.release("db", by: "aaaa")
        #expect(code { try store.remove("db") } == .conflict)
        // The one that was being made is gone without a word.
        try root.removeContainer(".new/bbbb")
        #expect(try store.users(of: "db").isEmpty)
        try store.remove("db")
        #expect(!root.exists("volumes/db"))
        #expect(try root.names(in: "trash").count == 1)
        #expect(code { try store.remove("db") } == .notFound)
        try store.release("db", by: "aaaa")
    }

    @Test func `a new volume is filled once`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        for id in ["aaaa", "bbbb"] { try root.makeContainer(id) }
        let specification = try VolumeSpecification(name: "db")
        try store.use(specification, by: "aaaa", fill: filling("one"))
        #expect(try root.read("volumes/db/data/seed") == "one")
        #expect(!root.exists("volumes/db/data.new"))
        try store.use(specification, by: "bbbb", fill: filling("two"))
        #expect(try root.read("volumes/db/data/seed") == "one")
        // Emptied by its containers it is not filled again.
        try FileManager.default.removeItem(atPath: "\(root.path)/volumes/db/data/seed")
        for id in ["aaaa", "bbbb"] { try store.release("db", by: id) }
        try store.use(specification, by: "aaaa", fill: filling("three"))
        #expect(try root.names(in: "volumes/db/data").isEmpty)
    }

    @Test func `a volume with data, or with another user, is not filled`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        for id in ["aaaa", "bbbb"] { try root.makeContainer(id) }
        try store.use(try VolumeSpecification(name: "db"), by: "aaaa", fill: nil)
        // The other one has mounted the directory that a filling would replace.
        try store.use(try VolumeSpecification(name: "db"), by: "bbbb", fill: filling("x"))
        #expect(try root.names(in: "volumes/db/data").isEmpty)
        try root.write("mine", to: "volumes/db/data/seed")
        for id in ["aaaa", "bbbb"] { try store.release("db", by: id) }
        try store.use(try VolumeSpecification(name: "db"), by: "bbbb", fill: filling("x"))
        #expect(try root.read("volumes/db/data/seed") == "mine")
    }

    @Test func `a volume that was not filled at its first use may be at a later one`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        for id in ["aaaa", "bbbb"] { try root.makeContainer(id) }
        try store.use(try VolumeSpecification(name: "db"), by: "aaaa", fill: nil)
        try root.removeContainer("aaaa")
        try store.use(try VolumeSpecification(name: "db"), by: "bbbb", fill: filling("x"))
        #expect(try root.read("volumes/db/data/seed") == "x")
    }

    @Test func `a filling that fails leaves the volume as it was`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        try root.makeContainer("aaaa")
        let specification = try VolumeSpecification(name: "db")
        let failing = filling("half")
        #expect(
            code {
                try store.use(specification, by: "aaaa") { directory throws(Failure) in
                    try failing(directory)
                    throw Failure(.resourceExhausted, "no space")
                }
            } == .resourceExhausted)
        #expect(try root.names(in: "volumes/db") == ["data", "fill.lock", "lock", "record", "users"])
        #expect(try store.users(of: "db").isEmpty)
        try store.use(specification, by: "aaaa", fill: filling("whole"))
        #expect(try root.read("volumes/db/data/seed") == "whole")
    }

    @Test func `a half-filled directory left by a killed process is never used`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        try root.makeContainer("aaaa")
        let specification = try VolumeSpecification(name: "db")
        try store.create(specification)
        try FileManager.default.createDirectory(
            atPath: "\(root.path)/volumes/db/data.new", withIntermediateDirectories: false)
        try root.write("half", to: "volumes/db/data.new/seed")
        try root.write("half", to: "volumes/db/data.new/other")
        try store.use(specification, by: "aaaa", fill: filling("whole"))
        #expect(try root.names(in: "volumes/db/data") == ["seed"])
        #expect(try root.read("volumes/db/data/seed") == "whole")
    }

    @Test func `a filling that was renamed but not marked is kept`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        for id in ["aaaa", "bbbb"] { try root.makeContainer(id) }
        try store.use(try VolumeSpecification(name: "db"), by: "aaaa", fill: filling("one"))
        try FileManager.default.removeItem(atPath: "\(root.path)/volumes/db/filled")
        try store.use(try VolumeSpecification(name: "db"), by: "bbbb", fill: filling("two"))
        #expect(try root.read("volumes/db/data/seed") == "one")
        #expect(root.exists("volumes/db/filled"))
    }

    @Test func `many at once: one filling, whole for all`() async throws {
        let root = try TemporaryRoot()
        let store = try root.store
        for n in 10..<26 { try root.makeContainer("c\(n)") }
        let made = try await withThrowingTaskGroup(of: Bool.self) { group in
            for n in 10..<26 {
                group.addTask {
                    let isNew = try store.use(try VolumeSpecification(name: "db"), by: "c\(n)") {
                        directory throws(Failure) in
                        try during("fill") { () throws(SystemError) in
                            for part in 0..<20 {
                                let file = try FileDescriptor.open(
                                    "\(part)", in: directory, [.writeOnly, .create, .exclusive])
                                try file.write("\(n)")
                            }
                        }
                    }.isNew
                    let names = try FileManager.default.contentsOfDirectory(
                        atPath: "\(root.path)/volumes/db/data")
                    #expect(names.count == 20)
                    return isNew
                }
            }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(made == 1)
        #expect(try store.users(of: "db").count == 16)
        let first = try root.read("volumes/db/data/0")
        for part in 0..<20 { #expect(try root.read("volumes/db/data/\(part)") == first) }
    }

    @Test func `making, using and removing against each other leaves no wreck`() async throws {
        let root = try TemporaryRoot()
        let store = try root.store
        for n in 0..<8 { try root.makeContainer("c\(n)") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for n in 0..<8 {
                group.addTask {
                    for _ in 0..<40 {
                        try store.use(try VolumeSpecification(name: "db"), by: "c\(n)", fill: nil)
                        #expect(root.exists("volumes/db/data"))
                        #expect(throws: Failure.self) { try store.remove("db") }
                        try store.release("db", by: "c\(n)")
                        do throws(Failure) {
                            try store.remove("db")
                        } catch {
                            #expect(error.code == .conflict || error.code == .notFound, "\(error)")
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try store.list().damaged.isEmpty)
        #expect(try root.names(in: "volumes").allSatisfy { $0 == ".lock" || $0 == "db" })
    }

    @Test func `what a killed maker left is swept by the next`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        try FileManager.default.createDirectory(
            atPath: "\(root.path)/volumes/.new-012345/data/x", withIntermediateDirectories: true)
        #expect(try store.list().volumes.isEmpty)
        try store.create(try VolumeSpecification(name: "db"))
        #expect(try root.names(in: "volumes") == [".lock", "db"])
    }

    @Test func `a damaged record spoils no other volume`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        for name in ["aa", "bb", "cc", "dd"] { try store.create(try VolumeSpecification(name: name)) }
        try root.write("nonsense", to: "volumes/aa/record")
        try FileManager.default.removeItem(atPath: "\(root.path)/volumes/bb/record")
        try root.write(try root.read("volumes/cc/record"), to: "volumes/dd/record")
        #expect(try store.list().volumes.map(\.name) == ["cc"])
        #expect(try store.list().damaged == ["aa", "bb", "dd"])
        #expect(code { _ = try store.inspect("aa") } == .dataLoss)
        #expect(code { _ = try store.inspect("bb") } == .dataLoss)
        for name in ["aa", "bb"] { try store.remove(name) }
        #expect(try root.names(in: "volumes") == [".lock", "cc", "dd"])
    }

    @Test func `prune takes anonymous volumes that nobody uses, and named ones when asked`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        try root.makeContainer("aaaa")
        let owner = Volume.Owner(containerID: "aaaa", path: "/var/lib/redis")
        let used = VolumeSpecification(anonymousFor: owner)
        let free = VolumeSpecification(anonymousFor: owner)
        try store.use(used, by: "aaaa", fill: nil)
        try store.create(free)
        try store.create(try VolumeSpecification(name: "named", labels: [.init("keep", "")]))
        try store.create(try VolumeSpecification(name: "other"))
        #expect(try store.inspect(used.name).owner == owner)
        #expect(VolumeName.isAnonymous(used.name))
        #expect(try store.prune(includingNamed: false) == [free.name])
        #expect(try store.prune(includingNamed: true) { $0.label("keep") == nil } == ["other"])
        #expect(try store.list().volumes.count == 2)
    }

    @Test func `the anonymous volumes of a container go with it, others stay`() throws {
        let root = try TemporaryRoot()
        let store = try root.store
        for id in ["aaaa", "bbbb"] { try root.makeContainer(id) }
        let mine = VolumeSpecification(anonymousFor: .init(containerID: "aaaa", path: "/a"))
        let shared = VolumeSpecification(anonymousFor: .init(containerID: "aaaa", path: "/b"))
        let foreign = VolumeSpecification(anonymousFor: .init(containerID: "bbbb", path: "/c"))
        for specification in [mine, shared, foreign, try VolumeSpecification(name: "named")] {
            try store.use(specification, by: "aaaa", fill: nil)
        }
        try store.use(shared, by: "bbbb", fill: nil)
        try root.removeContainer("aaaa")
        let names = [mine.name, shared.name, foreign.name, "named"]
        #expect(try store.removeAnonymous(of: "aaaa", named: names) == [mine.name])
        #expect(try Set(store.list().volumes.map(\.name)) == [shared.name, foreign.name, "named"])
    }

    @Test func `a use needs an id`() throws {
        let store = try TemporaryRoot().store
        for id in ["", "../x", "a/b", "."] {
            #expect(throws: Failure.self) {
                try store.use(try VolumeSpecification(name: "db"), by: id, fill: nil)
            }
        }
    }

    @Test func `a bind's source is made or missed`() throws {
        let root = try TemporaryRoot()
        try MountRequest(volume: "\(root.path)/x/y:/data", workingDirectory: "/").prepareSource()
        #expect(root.exists("x/y"))
        let mount = try MountRequest(mount: "type=bind,src=\(root.path)/z,dst=/data", workingDirectory: "/")
        #expect(code { try mount.prepareSource() } == .notFound)
        #expect(!root.exists("z"))
        try root.write("", to: "file")
        try MountRequest(volume: "\(root.path)/file:/data", workingDirectory: "/").prepareSource()
    }
}
