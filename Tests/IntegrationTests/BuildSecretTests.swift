import Foundation
import Testing

@Suite("build: secrets and agents", .needs())
struct BuildSecretTests {
    private static let secret = "the-secret-\(UInt64.random(in: 0...UInt64.max))-word"

    @Test func asFileAndAsVariable() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let file = try ctr.file("secret.txt", "of a file", mode: 0o600)
            let context = try ctr.context(
                """
                FROM busybox:test
                RUN --mount=type=secret,id=file cat /run/secrets/file; echo; stat -c '%a %u:%g' /run/secrets/file
                RUN --mount=type=secret,id=file,target=/deep/down/here,mode=0440,uid=1000,gid=2000 \\
                    stat -c '%a %u:%g' /deep/down/here
                RUN --mount=type=secret,id=word,env=WORD --mount=type=secret,id=word,target=/w,env=BOTH \\
                    echo $WORD $BOTH $(cat /w)
                RUN --mount=type=secret,id=none cat /run/secrets/none 2>/dev/null || echo none
                USER app
                RUN --mount=type=secret,id=file,uid=1000 cat /run/secrets/file; echo
                RUN --mount=type=secret,id=file cat /run/secrets/file 2>/dev/null || echo denied
                RUN ls -d /run /deep /w 2>/dev/null || echo nothing is left
                """)
            let outcome = try ctr.built(
                "-t", "x:1", "--secret", "id=file,src=\(file)", "--secret", "id=word,env=A_WORD", context,
                environment: ["A_WORD": "of the environment"])
            func lines(_ number: Int) -> [String] { outcome.steps.filter(\.isLayer)[number].lines }
            #expect(lines(0) == ["of a file", "400 0:0"])
            #expect(lines(1) == ["440 1000:2000"])
            #expect(lines(2) == ["of the environment of the environment of the environment"])
            #expect(lines(3) == ["none"])
            #expect(lines(4) == ["of a file"])
            #expect(lines(5) == ["denied"])
            #expect(lines(6) == ["nothing is left"])
            try ctr.buildFails(
                "--secret", "id=file,src=\(ctr.path("missing"))", "--no-cache", context, says: ["missing"])
            try ctr.buildFails("--secret", "id=x,bogus=1", context, says: ["bogus"])
            let required = try ctr.context(
                "required",
                "FROM busybox:test\nRUN --mount=type=secret,id=need,required cat /run/secrets/need\n")
            try ctr.buildFails(required, says: ["Dockerfile:2", "need", "--secret"])
        }
    }

    /// A changed secret is no reason to run again, and none is ever written: not while a step runs, not after it, not of
    /// a build that fails.
    @Test(arguments: [0, 1])
    func noByteOfItIsKept(_ code: Int) throws {
        try withFixture { ctr in
            try ctr.busybox()
            let file = try ctr.file("outside/secret.txt", Self.secret, mode: 0o600)
            let context = try ctr.context(
                """
                FROM busybox:test
                RUN --mount=type=secret,id=s,target=/s --mount=type=secret,id=s,env=S --mount=type=cache,target=/c \\
                    [ "$(cat /s)" = "$S" ] && echo ready && until [ -e /c/go ]; do sleep 0.05; done; exit \(code)
                """)
            let child = try ctr.start(
                "build", "--progress", "plain", "--explain", "-t", "x:1", "--secret", "id=s,src=\(file)",
                context)
            let deadline = Date() + 30
            child.pump(until: deadline) { child.errors.contains(Array("ready\n".utf8)) }
            #expect(child.stderr.contains("ready"))
            #expect(try ctr.filesHolding(Self.secret) == [], "while the step runs")
            #expect(try ctr.filesHolding(Self.secret, below: ctr.runRoot) == [], "while the step runs")
            let mounts = ctr.root + "/build/mounts"
            for name in try FileManager.default.contentsOfDirectory(atPath: mounts) {
                _ = FileManager.default.createFile(atPath: "\(mounts)/\(name)/data/go", contents: nil)
            }
            let outcome = child.finish(timeout: 60)
            #expect(outcome.code == Int32(code), "\(outcome.whole)")
            #expect(try ctr.filesHolding(Self.secret) == [])
            #expect(try ctr.filesHolding(Self.secret, below: ctr.runRoot) == [])
            #expect(!outcome.stderr.contains(Self.secret) && !outcome.stdout.contains(Self.secret))
            guard code == 0 else { return }
            for words in [["inspect", "x:1"], ["history", "--no-trunc", "x:1"]] {
                #expect(!(try ctr.ctr(words).stdout.contains(Self.secret)))
            }
            try ctr.file("outside/secret.txt", "another")
            let again = try ctr.built("--explain", "--secret", "id=s,src=\(file)", context)
            #expect(again.done == [])
            #expect(!again.stderr.contains("another"))
        }
    }

    /// An agent of the test's own: what it is sent it sends back with a word before it.
    private func agent(_ ctr: Fixture) throws -> String {
        let path = ctr.path("agent.sock")
        let python = try #require(Tool.python3.path)
        let child = try ChildProcess(
            [
                python, "-c",
                """
                import socket, threading, sys
                s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); print("listens", flush=True)
                def serve(c):
                    while True:
                        data = c.recv(4096)
                        if not data: return
                        c.sendall(b"agent:" + data)
                while True:
                    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
                """, path,
            ], environment: ctr.environment)
        ctr.onCleanUp {
            child.signal(SIGKILL)
            _ = child.finish(timeout: 5)
        }
        try child.waitFor("listens")
        chmod(path, 0o600)
        return path
    }

    @Test(.needs(.python3)) func agents() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let path = try agent(ctr)
            let context = try ctr.context(
                """
                FROM busybox:test
                RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && stat -c '%a %u:%g' "$SSH_AUTH_SOCK"
                USER 1000
                RUN --mount=type=ssh,uid=1000 test -w "$SSH_AUTH_SOCK" && stat -c '%a %u:%g' "$SSH_AUTH_SOCK"
                RUN --mount=type=ssh,id=other,target=/tmp/agent,mode=0666 test -w /tmp/agent && stat -c %a /tmp/agent
                RUN --mount=type=ssh,id=missing env | grep -c SSH_AUTH_SOCK || true
                RUN ls /run/buildkit 2>/dev/null || env | grep SSH || echo nothing is left
                """)
            let outcome = try ctr.built(
                "-t", "x:1", "--ssh", "default", "--ssh", "other=\(path)", context,
                environment: ["SSH_AUTH_SOCK": path])
            func lines(_ number: Int) -> [String] { outcome.steps.filter(\.isLayer)[number].lines }
            #expect(lines(0) == ["600 0:0"])
            #expect(lines(1) == ["600 1000:1000"] || lines(1) == ["600 1000:0"])
            #expect(lines(2) == ["666"])
            #expect(lines(4) == ["nothing is left"])
            #expect(!(try ctr.inspect("x:1", "{{json .Config.Env}}")).contains("SSH"))
            let required = try ctr.context(
                "required", "FROM busybox:test\nRUN --mount=type=ssh,required true\n")
            try ctr.buildFails(required, says: ["Dockerfile:2", "ssh"])
            try ctr.buildFails("--ssh", "default=\(context)/Dockerfile", required, says: ["socket"])
            try ctr.buildFails("--ssh", "default", required, says: ["SSH_AUTH_SOCK"])
        }
    }

    /// Words go to the agent and back, for root and for a user who could not open the host's socket.
    @Test(.needs(.python3, .tar)) func wordsForAnAgent() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test
                COPY python/ /
                COPY talk.py /
                RUN --mount=type=ssh python3 /talk.py root
                RUN --mount=type=ssh,uid=1000 --mount=type=cache,target=/c python3 /talk.py \
                    root again
                USER 1000
                RUN --mount=type=ssh,uid=1000 python3 /talk.py 1000
                """,
                [
                    "talk.py": """
                    import os, socket, sys
                    for turn in range(3):
                        s = socket.socket(socket.AF_UNIX)
                        s.connect(os.environ["SSH_AUTH_SOCK"])
                        for word in ["one", "two" * 10000]:
                            s.sendall(word.encode())
                            got = b""
                            while len(got.replace(b"agent:", b"")) < len(word): got += s.recv(100000)
                        s.close()
                    print("talked as", os.getuid(), flush=True)
                    """
                ])
            guard try ctr.copyPython(into: context + "/python") else { return }
            let outcome = try ctr.built(
                "--ssh", "default=\(try agent(ctr))", context)
            let lines = outcome.steps.filter(\.isLayer).map(\.lines)
            #expect(lines.suffix(3) == [["talked as 0"], ["talked as 0"], ["talked as 1000"]])
        }
    }
}
