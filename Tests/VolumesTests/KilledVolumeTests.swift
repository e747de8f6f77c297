import Failure
import Foundation
import LinuxSystem
import Testing
import Volumes

#if DEBUG
    /// A process that is killed at each step leaves a store that the next one goes on with.
    @Suite struct KilledVolumeTests {
        static func use(_ path: String, by id: String, text: String) throws {
            let store = try VolumeStore(path: path)
            try store.use(try VolumeSpecification(name: "db"), by: id) { directory throws(Failure) in
                try during("fill") { () throws(SystemError) in
                    for name in ["one", "two"] {
                        let file = try FileDescriptor.open(
                            name, in: directory, [.writeOnly, .create, .exclusive])
                        try file.write(text)
                    }
                }
            }
        }

        @Test(arguments: [
            "volume.record", "volume.rename", "atomic.rename", "volume.filled", "volume.fill-rename",
            "volume.mark",
        ])
        func `killed while a volume is made and filled`(_ point: String) async throws {
            let root = try TemporaryRoot()
            for id in ["aaaa", "bbbb"] { try root.makeContainer(id) }
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = root.path as String, point = point as String] in
                setenv("CTR_FAILPOINT", "\(point):kill", 1)
                try KilledVolumeTests.use(path, by: "aaaa", text: "first")
            }
            // Whole or absent.
            if root.exists("volumes/db") {
                #expect(try root.store.inspect("db").name == "db")
                let names = try root.names(in: "volumes/db/data")
                #expect(names.isEmpty || names == ["one", "two"])
            }
            // What the killed one was making is gone with its container's directory.
            try root.removeContainer("aaaa")
            try KilledVolumeTests.use(root.path, by: "bbbb", text: "second")
            let text = try root.read("volumes/db/data/one")
            #expect(text == (point == "volume.mark" ? "first" : "second"))
            #expect(try root.read("volumes/db/data/two") == text)
            #expect(!root.exists("volumes/db/data.new") && root.exists("volumes/db/filled"))
            #expect(try root.names(in: "volumes") == [".lock", "db"])
            #expect(try root.store.users(of: "db") == ["bbbb"])
            try root.removeContainer("bbbb")
            try root.store.remove("db")
            #expect(try root.names(in: "volumes") == [".lock"])
        }

        @Test func `killed while a volume is removed`() async throws {
            let root = try TemporaryRoot()
            try root.store.create(try VolumeSpecification(name: "db"))
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = root.path as String] in
                setenv("CTR_FAILPOINT", "volume.discard:kill", 1)
                try VolumeStore(path: path).remove("db")
            }
            #expect(try root.store.inspect("db").name == "db")
            try root.store.remove("db")
            #expect(!root.exists("volumes/db"))
        }
    }
#endif
