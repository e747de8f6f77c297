import Failure
import LinuxSystem
import Testing

@testable import Runtime

@Suite struct UserDatabaseTests {
    private let database = UserDatabase(
        passwd: """
            root:x:0:0:root:/root:/bin/sh
            # a comment
            app:x:1000:1001:App:/home/app:/bin/sh
            1234:x:77:78::/numbered:
            short:x:5
            wide:x:4294967296:0::/wide:
            minus:x:-1:0::/minus:
            spaced:x: 7:0::/spaced:
            bare:x:9:9
            """,
        group: """
            root:x:0:
            app:x:1001:
            wheel:x:10:root,app
            audio:x:29:app
            video:x:44:other
            torn:x
            """)

    private func identity(_ text: String, _ added: [String] = []) throws -> UserIdentity {
        try database.identity(of: text, addedGroups: added)
    }

    @Test func everyFormOfUser() throws {
        #expect(try identity("") == UserIdentity(uid: 0, gid: 0, groups: [0, 10], home: "/root"))
        #expect(
            try identity("app")
                == UserIdentity(uid: 1000, gid: 1001, groups: [1001, 10, 29], home: "/home/app"))
        #expect(try identity("1000") == identity("app"))
        #expect(
            try identity("app:video") == UserIdentity(uid: 1000, gid: 44, groups: [44], home: "/home/app"))
        #expect(try identity("app:7") == UserIdentity(uid: 1000, gid: 7, groups: [7], home: "/home/app"))
        #expect(try identity("5000:6000") == UserIdentity(uid: 5000, gid: 6000, groups: [6000], home: "/"))
        #expect(try identity("5000") == UserIdentity(uid: 5000, gid: 0, groups: [0], home: "/"))
        #expect(try identity("1234") == UserIdentity(uid: 77, gid: 78, groups: [78], home: "/numbered"))
        #expect(try identity(":audio").gid == 29)
        #expect(try identity("bare") == UserIdentity(uid: 9, gid: 9, groups: [9], home: "/"))
        #expect(try identity("2147483647").uid == 2_147_483_647)
        #expect(try identity("app", ["video", "4242", "wheel"]).groups == [1001, 10, 29, 44, 4242])
    }

    @Test func nobodyKnowsThem() {
        for text in ["nobody", "0x0", " 0", "-1", "+1", "short", "wide", "minus", "spaced", "app ", "root\n"]
        {
            let error = #expect(throws: Failure.self, "\(text)") { try identity(text) }
            #expect(error?.message.hasPrefix("unable to find user ") == true, "\(text)")
            #expect(error?.message.hasSuffix(": no matching entries in passwd file") == true)
        }
        let group = #expect(throws: Failure.self) { try identity("app:nogroup") }
        #expect(group?.message == "unable to find group nogroup: no matching entries in group file")
        #expect(throws: Failure.self) { try identity("app", ["torn"]) }
    }

    /// CVE-2024-40635: an uid beyond 32 bits became 0.
    @Test func cve202440635NumbersDoNotWrap() {
        for text in ["4294967296", "2147483648", "99999999999999999999", "0:4294967296", "app:2147483648"] {
            let error = #expect(throws: Failure.self, "\(text)") { try identity(text) }
            #expect(error?.message.hasSuffix("uids and gids must be in range 0-2147483647") == true)
        }
    }

    @Test func linesOfOtherSystems() throws {
        let database = UserDatabase(
            passwd: "app:x:5:6::/a\r\n\n#x\nb:x:8:9::/b:/sh", group: "g:x:7:app,b\r\n")
        #expect(try database.identity(of: "app").home == "/a")
        #expect(try database.identity(of: "b").groups == [9, 7])
    }

    private func inRoot(_ body: (String, borrowing FileDescriptor) throws -> Void) throws {
        let path = "/dev/shm/ctr-users-\(randomHex(bytes: 6))"
        try Directory.ensurePath(path + "/root/etc")
        defer { try? Directory.removeTree(path) }
        let root = try Directory.open(path + "/root")
        try body(path, root)
    }

    private func write(_ text: String, _ path: String) throws {
        try FileDescriptor.open(path, [.writeOnly, .create, .truncate]).write(text)
    }

    @Test func readsTheContainersFiles() throws {
        try inRoot { path, root in
            #expect(try UserDatabase(root: root).identity(of: "7").uid == 7, "no files are empty files")
            try write("app:x:5:6::/a:\n", path + "/root/etc/passwd")
            #expect(try UserDatabase(root: root).identity(of: "app").gid == 6)
        }
    }

    /// CVE-2026-30892, podman's CVE-2024-9676: a link out of the root, a FIFO, a device, a file without end.
    @Test func cve20249676HostileFiles() throws {
        try inRoot { path, root in
            try write("host:x:1:1::/:\n", path + "/outside")
            try Directory.symlink(path + "/outside", at: path + "/root/etc/passwd")
            #expect(throws: Failure.self) { try UserDatabase(root: root).identity(of: "host") }
            try Directory.removeFile(path + "/root/etc/passwd")
            // A link that stays inside, from its `/`, is fine.
            try write("in:x:3:3::/:\n", path + "/root/real")
            try Directory.symlink("/../real", at: path + "/root/etc/passwd")
            #expect(try UserDatabase(root: root).identity(of: "in").uid == 3)
            try Directory.removeFile(path + "/root/etc/passwd")
            try Directory.makeNode("etc/passwd", in: root.raw, mode: 0o010644)
            let fifo = #expect(throws: Failure.self) { _ = try UserDatabase(root: root) }
            #expect(fifo?.message == "/etc/passwd of the image is not a regular file")
            try Directory.removeFile(path + "/root/etc/passwd")
            try FileDescriptor.open(path + "/root/etc/passwd", [.writeOnly, .create]).truncate(to: 5 << 30)
            let big = #expect(throws: Failure.self) { _ = try UserDatabase(root: root) }
            #expect(big?.code == .resourceExhausted)
        }
    }
}
