import Foundation
import Testing

@Suite("build: Dockerfiles and contexts", .needs())
struct BuildInputTests {
    private func listing(_ ctr: Fixture, _ arguments: String..., input: [UInt8]? = nil) throws -> [String] {
        let outcome = try ctr.ctr(
            ["build", "--progress", "plain", "-t", "x:1"] + arguments, input: input)
        try #require(outcome.code == 0, "\(outcome.whole)")
        return try ctr.run("x:1", "cd /all && find . -type f | sort").components(separatedBy: "\n")
    }

    private static let all = "FROM busybox:test\nCOPY . /all/\n"

    @Test func ignored() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                Self.all,
                [
                    ".dockerignore":
                        "# a comment\n*.log\n!keep.log\n/sub/*/deep\n**/node_modules\nDockerfile\n!sub/node_modules/wanted\n",
                    "a.log": "", "keep.log": "", "sub/b.log": "", "sub/x/deep/file": "", "sub/deep": "",
                    "sub/node_modules/m": "", "sub/node_modules/wanted": "", "node_modules/m": "",
                    "plain": "",
                ])
            #expect(
                try listing(ctr, context) == [
                    "./.dockerignore", "./keep.log", "./plain", "./sub/b.log", "./sub/deep",
                    "./sub/node_modules/wanted",
                ])
            // What is ignored is not there for COPY, nor for a mount.
            try ctr.file("context/Dockerfile", "FROM busybox:test\nCOPY a.log /\n")
            try ctr.buildFails(context, says: ["a.log", "not found"])
            try ctr.file(
                "context/Dockerfile",
                "FROM busybox:test\nRUN --mount=target=/m ls /m; ls /m/node_modules; true\n")
            let mounted = try ctr.built(context).step("RUN").lines
            #expect(mounted.contains("keep.log") && !mounted.contains("a.log"), "\(mounted)")
        }
    }

    /// `<Dockerfile>.dockerignore` wins over the context's own, also of a Dockerfile outside.
    @Test func ignoredByTheDockerfilesOwn() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                nil,
                [
                    ".dockerignore": "one\n", "one": "", "two": "", "three": "",
                    "special": Self.all,
                    "special.dockerignore": "two\n*.dockerignore\nspecial\n.dockerignore\n",
                    "plain": Self.all,
                ])
            #expect(try listing(ctr, "-f", context + "/special", context) == ["./one", "./plain", "./three"])
            #expect(try listing(ctr, "-f", context + "/plain", context).contains("./two"))
            #expect(!(try listing(ctr, "-f", context + "/plain", context).contains("./one")))
            let outside = try ctr.file("elsewhere/File", Self.all)
            #expect(try listing(ctr, "-f", outside, context).contains("./two"))
            try ctr.file("elsewhere/File.dockerignore", "*\n!three\n")
            #expect(try listing(ctr, "-f", outside, context) == ["./three"])
        }
    }

    @Test func dockerfileOnStandardInput() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(nil, ["file": ""])
            #expect(try listing(ctr, "-f", "-", context, input: Array(Self.all.utf8)) == ["./file"])
            let outcome = try ctr.built(
                "-t", "y:1", "-", input: Array("FROM busybox:test\nRUN echo no context > /x\n".utf8))
            #expect(outcome.code == 0)
            #expect(try ctr.run("y:1", "cat /x") == "no context")
            try ctr.buildFails(
                "-", says: ["Dockerfile:2", "file", "not found"],
                input: Array("FROM busybox:test\nCOPY file /\n".utf8))
            try ctr.buildFails("-", says: ["empty"], input: [])
            try ctr.buildFails("-f", "-", "-", says: ["standard input"], input: [])
        }
    }

    @Test(arguments: ["plain", "gzip"])
    func tarOnStandardInput(_ compression: String) throws {
        try withFixture { ctr in
            try ctr.busybox()
            var tar = TarArchive()
            tar.file("Dockerfile", Self.all)
            tar.file("other/File", "FROM busybox:test\nCOPY dir /all\n")
            tar.file("dir/file", "x", mode: 0o4750, uid: 1234, gid: 1234)
            tar.file("ignored", "x")
            tar.file(".dockerignore", "ignored\n.dockerignore\n")
            var bytes = tar.finished
            if compression == "gzip" { bytes = try ctr.tool(.gzip, "-c", input: bytes).output }
            #expect(
                try listing(ctr, "-", input: bytes) == ["./Dockerfile", "./dir/file", "./other/File"])
            #expect(try ctr.run("x:1", "stat -c '%a %u:%g' /all/dir/file") == "4750 1234:1234")
            #expect(try listing(ctr, "-f", "other/File", "-", input: bytes) == ["./file"])
        }
    }

    /// The context is where it is: a link to it, a relative path, the working directory.
    @Test func pathsOfContexts() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(Self.all, ["file": ""])
            symlink(context, ctr.path("link"))
            #expect(try listing(ctr, ctr.path("link")) == ["./Dockerfile", "./file"])
            #expect(try listing(ctr, context + "/../context/") == ["./Dockerfile", "./file"])
            try ctr.buildFails(context + "/file", says: ["file"])
        }
    }

    @Test func namedContexts() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let other = try ctr.context("other", nil, ["of-other": "from the other"])
            let context = try ctr.context(
                "FROM base\nCOPY --from=other of-other /all/\nRUN --mount=from=other,target=/m cat /m/of-other\n"
            )
            #expect(
                try listing(
                    ctr, "--build-context", "other=\(other)", "--build-context",
                    "base=docker-image://busybox:test", context) == ["./of-other"])
        }
    }

    @Test func outputs() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context("FROM scratch\nCOPY --chmod=640 file /d/\n", ["file": "out"])
            let local = ctr.path("local")
            try ctr.built("-o", local, context)
            #expect(ctr.contents(local + "/d/file") == "out")
            let tar = try ctr.built("-o", "-", context)
            #expect(try ctr.tool(.tar, "-tv", input: tar.output).stdout.contains("-rw-r-----"))
            try ctr.built("-t", "o:1", "-o", "type=docker,dest=\(ctr.path("d.tar"))", context)
            try ctr.ok("rmi", "o:1")
            try ctr.ok("load", "-i", ctr.path("d.tar"))
            #expect(try ctr.ok("images", "-q", "o") != "")
            let id = ctr.path("id")
            let quiet = try ctr.ok("build", "-q", "--iidfile", id, "--label", "a=b", context)
            #expect(ctr.contents(id) == quiet)
            #expect(try ctr.inspect(quiet, "{{index .Config.Labels \"a\"}}") == "b")
        }
    }
}
