import Failure
import LinuxSystem
import Testing

@testable import BuildContext

@Suite("Git repositories as contexts", .enabled(if: GitScratch.isInstalled, "not run: there is no git"))
struct GitSourceTests {
    static let daemon: String? = {
        guard let scratch = try? GitScratch(), let path = try? scratch.git("--exec-path", in: "") else {
            return nil
        }
        return (try? FileDescriptor.exists("\(path)/git-daemon")) == true ? "\(path)/git-daemon" : nil
    }()

    private var access: GitAccess { GitAccess(environment: ["PATH": HelperProgram.standardPath]) }

    private func checkOut(
        _ scratch: GitScratch, _ suffix: String = "", as name: String = "out", access: GitAccess? = nil
    ) throws -> GitCheckout {
        try Directory.make("\(scratch.path)/\(name)", mode: 0o755)
        let source = try GitSource("file://\(scratch.path)/repo\(suffix)")
        return try source.checkOut(into: "\(scratch.path)/\(name)", access ?? self.access)
    }

    private func names(_ checkout: GitCheckout) throws -> [String] {
        try Directory.names(in: Directory.open(".", in: checkout.directory.raw))
    }

    @Test func headWithItsModes() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        try scratch.write("repo/run", "#!/bin/sh\n", mode: 0o755)
        try scratch.write("repo/private", "p", mode: 0o600)
        try Directory.symlink("../../etc/passwd", at: "\(scratch.path)/repo/link")
        scratch.time = 1_700_000_000
        let commit = try scratch.commit("below/file", "second")
        let found = try checkOut(scratch)
        #expect(found.commit == commit)
        #expect(found.time == 1_700_000_000)
        #expect(try names(found) == ["below", "file", "link", "private", "run"])
        func mode(_ name: String) throws -> UInt32 {
            try FileDescriptor.status(name, in: found.directory.raw).permissions
        }
        #expect(try mode("run") == 0o755)
        #expect(try mode("private") == 0o644)
        #expect(try mode("below") == 0o755)
        #expect(try GitSource("file://\(scratch.path)/repo").commit(access) == commit)
    }

    @Test func refsOfAllKinds() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        let first = try scratch.git("rev-parse", "HEAD")
        try scratch.git("tag", "-a", "-m", "annotated", "v1")
        let tag = try scratch.git("rev-parse", "v1")
        try scratch.git("tag", "both")
        let second = try scratch.commit("file", "second")
        let third = try scratch.commit("file", "third")
        try scratch.git("branch", "both", second)
        try scratch.git("branch", "deep/branch", second)
        try scratch.git("branch", "other/deep/branch", first)
        try scratch.git("update-ref", "refs/pull/5/head", second)
        try scratch.git("reset", "--quiet", "--hard", third)
        let wanted = [
            ("", third), ("#main", third), ("#v1", first), ("?tag=v1", first), ("#both", second),
            ("?tag=both", first), ("?branch=both", second), ("#deep/branch", second),
            ("#refs/heads/other/deep/branch", first), ("#pull/5/head", second), ("#\(first)", first),
            ("#\(second)", second), ("?commit=\(second)", second), ("#HEAD", third),
            ("?tag=v1&checksum=\(first.prefix(10))", first), ("?tag=v1&checksum=\(tag)", first),
        ]
        for (number, (suffix, commit)) in wanted.enumerated() {
            let found = try checkOut(scratch, suffix, as: "out-\(number)")
            #expect(found.commit == commit, "\(suffix)")
            let source = try GitSource("file://\(scratch.path)/repo\(suffix)")
            #expect(try source.commit(access) == commit, "\(suffix)")
        }
    }

    @Test func refusals() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        var number = 0
        func failure(_ suffix: String, _ access: GitAccess? = nil) throws -> Failure {
            number += 1
            let failure = #expect(throws: Failure.self) {
                try checkOut(scratch, suffix, as: "no-\(number)", access: access)
            }
            return try #require(failure)
        }
        let address = "file://\(scratch.path)/repo"
        let missing = try failure("#nothing")
        #expect(missing.code == .notFound && missing.message == "\(address) has no ref nothing")
        #expect(try failure("#0123abcd").hint == "a commit is named by all of its 40 digits")
        let unknown = String(repeating: "ab", count: 20)
        let commit = try failure("#\(unknown)")
        #expect(commit.code == .notFound && commit.message == "\(address) has no commit \(unknown)")
        let checksum = try failure("?checksum=\(unknown)&branch=main")
        #expect(checksum.code == .dataLoss)
        #expect(checksum.message.contains("does not match the checksum \(unknown)"))
        // The first is a ref's, the second what ADD --checksum may say.
        let source = try GitSource("\(address)#main")
        for text in [unknown, "", "sha256:\(unknown)"] {
            var other = source
            other.checksum = text
            #expect(throws: Failure.self, "\(text)") { try other.commit(access) }
        }
        #expect(try failure("#main:no/such").message == "\(address) has no directory no/such")
        let away = try failure("-not-there")
        #expect(away.code == .notFound && away.message == "\(address)-not-there: there is no such repository")
        let program = try failure("", GitAccess(environment: ["PATH": "/nowhere"]))
        #expect(program.code == .unavailable && program.hint == "install the package git")
        try scratch.git("init", "--quiet", "../empty")
        let empty = #expect(throws: Failure.self) {
            try GitSource("file://\(scratch.path)/empty").commit(access)
        }
        #expect(empty?.message.hasSuffix("empty has no commit yet") == true)
        let server = #expect(throws: Failure.self) { try GitSource("git://127.0.0.1:1/a").commit(access) }
        #expect(server?.message == "git://127.0.0.1:1/a: the server cannot be reached")
    }

    @Test func subdirectoriesStayInside() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        try Directory.symlink("/", at: "\(scratch.path)/repo/away")
        try Directory.symlink("below", at: "\(scratch.path)/repo/near")
        try scratch.commit("below/file", "text")
        #expect(try names(checkOut(scratch, "#:below", as: "a")) == ["file"])
        #expect(try names(checkOut(scratch, "#:near", as: "b")) == ["file"])
        #expect(try names(checkOut(scratch, "#:away", as: "c")) == ["away", "below", "file", "near"])
    }

    @Test func submodulesAndTheGitDirectory() throws {
        let scratch = try GitScratch()
        try scratch.repository("inmost")
        try scratch.repository("inner")
        try scratch.git("submodule", "--quiet", "add", "\(scratch.path)/inmost", "deep/most", in: "inner")
        try scratch.git("commit", "--quiet", "-m", "submodule", in: "inner")
        try scratch.repository()
        try scratch.git("submodule", "--quiet", "add", "../inner", "part")
        try scratch.git("config", "-f", ".gitmodules", "submodule.part.url", "../inner")
        try scratch.git("commit", "--quiet", "-a", "-m", "submodule")
        let all = try checkOut(scratch, as: "all")
        #expect(try names(all) == [".gitmodules", "file", "part"])
        #expect(try scratch.names("all/part/deep/most") == ["file"])
        #expect(try scratch.names("all/part") == [".gitmodules", "deep", "file"])
        let none = try checkOut(scratch, "?submodules=false", as: "none")
        #expect(try names(none) == [".gitmodules", "file", "part"])
        #expect(try scratch.names("none/part").isEmpty)
        let kept = try checkOut(scratch, "?keep-git-dir=1", as: "kept")
        #expect(try names(kept) == [".git", ".gitmodules", "file", "part"])
        #expect(try scratch.git("status", "--porcelain", in: "kept").isEmpty)
        #expect(try scratch.git("rev-parse", "HEAD", in: "kept") == kept.commit)
    }

    /// What a repository, the host or the user has set up runs nothing.
    @Test func nothingOfOthersRuns() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        let canary = "\(scratch.path)/canary"
        try scratch.write("repo/.gitattributes", "* filter=evil\n")
        try scratch.commit("x", "x")
        try scratch.write("home/.gitconfig", "[filter \"evil\"]\n\tsmudge = touch \(canary)\n")
        try scratch.write("hook/post-checkout", "#!/bin/sh\ntouch \(canary)\n", mode: 0o755)
        var hostile = access
        hostile.environment["HOME"] = "\(scratch.path)/home"
        hostile.environment["GIT_TEMPLATE_DIR"] = "\(scratch.path)/hook"
        hostile.environment["GIT_CONFIG_COUNT"] = "1"
        hostile.environment["GIT_CONFIG_KEY_0"] = "core.hooksPath"
        hostile.environment["GIT_CONFIG_VALUE_0"] = "\(scratch.path)/hook"
        hostile.environment["GIT_SSH_COMMAND"] = "touch \(canary)"
        _ = try checkOut(scratch, as: "a", access: hostile)
        #expect(try !FileDescriptor.exists(canary))

        // A submodule by a program, and by a program that .gitmodules names.
        for (name, url) in [("ext", "ext::sh -c touch% \(canary)"), ("option", "-u./evil")] {
            try scratch.write(
                "repo/.gitmodules",
                "[submodule \"p\"]\n\tpath = p\n\turl = \(url)\n\tupdate = !touch \(canary)\n")
            let head = try scratch.git("rev-parse", "HEAD")
            try scratch.git("update-index", "--add", "--cacheinfo", "160000,\(head),p")
            try scratch.git("add", ".gitmodules")
            try scratch.git("commit", "--quiet", "-m", name)
            #expect(throws: Failure.self) { try checkOut(scratch, as: name, access: hostile) }
            #expect(try !FileDescriptor.exists(canary))
            _ = try checkOut(scratch, "?submodules=false", as: "\(name)-none", access: hostile)
        }
        #expect(try !FileDescriptor.exists(canary))
    }

    /// A stand-in for ssh writes down what it is asked, and runs what the server would.
    @Test func secureShell() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        try scratch.write(
            "bin/ssh",
            """
            #!/bin/sh
            printf '%s\\n' "$@" > '\(scratch.path)/words'
            echo "agent=$SSH_AUTH_SOCK" >> '\(scratch.path)/words'
            [ -e '\(scratch.path)/refuse' ] && { echo 'Host key verification failed.' >&2; exit 255; }
            for last; do :; done
            exec sh -c "$last"
            """, mode: 0o755)
        var access = access
        access.environment["PATH"] = "\(scratch.path)/bin:\(HelperProgram.standardPath)"
        access.environment["SSH_AUTH_SOCK"] = "/the/users/own"
        let head = try scratch.git("rev-parse", "HEAD")
        let source = try GitSource("git@example.test:\(scratch.path)/repo#main")
        #expect(try source.commit(access) == head)
        let words = try scratch.text("words").split(separator: "\n").map(String.init)
        #expect(words.contains("git@example.test"))
        #expect(words.contains("BatchMode=yes") && words.contains("StrictHostKeyChecking=yes"))
        #expect(words.last == "agent=")
        access.sshAgent = "/given/agent"
        access.knownHosts = "/a place/it's hosts"
        try Directory.make("\(scratch.path)/out")
        #expect(try source.checkOut(into: "\(scratch.path)/out", access).commit == head)
        #expect(try scratch.text("words").contains("agent=/given/agent"))
        #expect(try scratch.text("words").contains("UserKnownHostsFile=\"/a place/it's hosts\"\n"))
        try scratch.write("refuse", "")
        let failure = #expect(throws: Failure.self) { try source.commit(access) }
        #expect(failure?.code == .unauthenticated)
        #expect(failure?.message.contains("the host's key is not known") == true)
    }

    @Test(.enabled(if: daemon != nil, "not run: there is no git-daemon")) func gitProtocol() throws {
        let scratch = try GitScratch()
        try scratch.repository()
        let head = try scratch.git("rev-parse", "HEAD")
        // It runs itself, by the name it was called by.
        let daemon = try #require(Self.daemon)
        let program = try FileDescriptor.open(daemon, [.pathOnly])
        let port = Int.random(in: 20000..<30000)
        let pid = try Process.spawn(
            program: program,
            arguments: [
                daemon, "--listen=127.0.0.1", "--port=\(port)", "--reuseaddr",
                "--export-all",
                "--base-path=\(scratch.path)", scratch.path,
            ], environment: ["PATH=\(HelperProgram.standardPath)"])
        defer {
            Launching.kill(pid, 15)
            _ = try? Process.reap(pid)
        }
        let source = try GitSource("git://127.0.0.1:\(port)/repo#main")
        var commit: String?
        for _ in 0..<100 where commit == nil {
            commit = try? source.commit(access)
            if commit == nil { _ = try FileDescriptor.wait(for: -1, milliseconds: 50) }
        }
        #expect(commit == head)
        try Directory.make("\(scratch.path)/out")
        #expect(try source.checkOut(into: "\(scratch.path)/out", access).time == 1_600_000_000)
        let failure = #expect(throws: Failure.self) {
            try GitSource("git://127.0.0.1:\(port)/other").commit(access)
        }
        #expect(failure?.message.isEmpty == false)
        // A plain file is no submodule of what came over the network.
        try scratch.git("submodule", "--quiet", "add", "\(scratch.path)/repo", "part")
        try scratch.git("commit", "--quiet", "-m", "local")
        try Directory.make("\(scratch.path)/none")
        let refused = #expect(throws: Failure.self) {
            try source.checkOut(into: "\(scratch.path)/none", access)
        }
        #expect(refused?.code == .permissionDenied)
    }
}
