import Foundation
import Testing

/// Dockerfiles and contexts of an enemy. Beside each fixture's store is `host`: a directory that stands for the host.
@Suite("build: attacks", .needs())
struct BuildSecurityTests {
    private static let canary = "host-canary-\(UInt64.random(in: 0...UInt64.max))"

    /// The directory of the host, with a file whose text must be in no image, and empty directories.
    private func host(_ ctr: Fixture) throws -> String {
        try ctr.busybox()
        try ctr.file("host/secret", Self.canary)
        _ = try ctr.makeDirectory("host/b/c")
        return ctr.path("host")
    }

    private func expectUntouched(
        _ ctr: Fixture, _ outcome: Outcome? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let tree = try FileTree.describe(ctr.path("host"))
        #expect(Set(tree.keys) == ["/secret", "/b", "/b/c"], sourceLocation: sourceLocation)
        #expect(ctr.contents(ctr.path("host/secret")) == Self.canary, sourceLocation: sourceLocation)
        #expect(try ctr.filesHolding(Self.canary) == [], sourceLocation: sourceLocation)
        if let outcome {
            #expect(
                !outcome.stdout.contains(Self.canary) && !outcome.stderr.contains(Self.canary),
                "\(outcome.whole)", sourceLocation: sourceLocation)
        }
    }

    /// `source` of a cache mount is swapped for a link to the host, by a step at the same time.
    @Test func cve2024_23651_theSubdirectoryOfACacheMount() throws {
        try withFixture { ctr in
            let host = try host(ctr)
            let attack = (0..<6).map { number in
                """
                FROM busybox:test AS attack\(number)
                RUN --mount=type=cache,id=x,source=sub,target=/m cat /m/secret; touch /m/planted; true
                RUN --mount=type=cache,id=x,source=sub,target=/n,from=swap cat /n/secret; touch /n/planted; true
                """
            }.joined(separator: "\n")
            let copies = (0..<6).map { "COPY --from=attack\($0) /etc/group /\($0)" }.joined(separator: "\n")
            let context = try ctr.context(
                """
                FROM busybox:test AS swap
                RUN --mount=type=cache,id=x,target=/c mkdir -p /c/sub; ln -s \(host) /c/link; i=0; \\
                    while [ $i -lt 200 ]; do mv /c/sub /c/t; mv /c/link /c/sub; mv /c/sub /c/link; mv /c/t /c/sub; \\
                    i=$((i+1)); done; mv /c/sub /c/t; mv /c/link /c/sub; ln -s \(host) /sub
                \(attack)
                FROM busybox:test
                COPY --from=swap /etc/group /swap
                \(copies)
                """)
            for arguments in [[], ["--no-cache"]] {
                let outcome = try ctr.ctr(["build", "--progress", "plain"] + arguments + [context])
                #expect(outcome.steps.count > 10, "\(outcome.whole)")
                try expectUntouched(ctr, outcome)
            }
        }
    }

    /// The place of a mount is moved away and a link to the host put there: what removes places afterwards removes there.
    @Test(arguments: ["type=cache", "type=tmpfs", "type=bind", "type=secret,id=s"])
    func cve2024_23652_thePlaceOfAMountIsReplaced(_ mount: String) throws {
        try withFixture { ctr in
            let host = try host(ctr)
            let secret = try ctr.file("a-secret", "s")
            let context = try ctr.context(
                """
                FROM busybox:test
                RUN --mount=\(mount),target=/a/b/c mv /a /gone; ln -s \(host) /a; ls -l /
                """)
            let outcome = try ctr.built("-t", "x:1", "--secret", "id=s,src=\(secret)", context)
            try expectUntouched(ctr, outcome)
        }
    }

    @Test func cve2024_23653_noEntitlementIsTakenForGranted() throws {
        try withFixture { ctr in
            _ = try host(ctr)
            let context = try ctr.context("FROM busybox:test\nRUN --security=insecure true\n")
            try ctr.buildFails(context, says: ["Dockerfile:2", "--security=insecure"])
            let syntax = try ctr.context(
                "syntax",
                "# syntax=docker/dockerfile:1-labs\nFROM busybox:test\nRUN --security=insecure cat /proc/self/status\n"
            )
            try ctr.buildFails(syntax, says: ["Dockerfile:3", "--security=insecure"])
            let sandbox = try ctr.context(
                "sandbox", "FROM busybox:test\nRUN --security=sandbox grep CapEff /proc/self/status\n")
            #expect(try ctr.built(sandbox).step("CapEff").lines == ["CapEff:\t00000000a80425fb"])
        }
    }

    /// Source or target of a bind mount is a link to / or to the host, in the context, an image or a stage.
    @Test func cve2024_1753_cve2024_9341_mountSourcesThatAreLinks() throws {
        try withFixture { ctr in
            let host = try host(ctr)
            let context = try ctr.context(
                """
                FROM busybox:test AS evil
                RUN ln -s / /root-link; ln -s \(host) /host-link; ln -s ../../../../../..\(host) /climb; \\
                    mkdir /dir; ln -s /proc/1/root /proc-link; ln -s /proc/self/cwd /cwd-link
                FROM busybox:test
                RUN --mount=from=evil,source=/root-link,target=/m,rw ls /m\(host); cat /m\(host)/secret; touch /m/planted; \\
                    ls /m | wc -l
                RUN --mount=source=context-root,target=/m,rw ls /m\(host); cat /m\(host)/secret; touch /m/planted; true
                """)
            symlink("/", context + "/context-root")
            symlink(host, context + "/context-host")
            symlink("../host", context + "/context-climb")
            symlink("/proc/self/root", context + "/context-proc")
            let outcome = try ctr.built(context)
            try expectUntouched(ctr, outcome)
            #expect(!FileManager.default.fileExists(atPath: "/planted"))
            #expect(!FileManager.default.fileExists(atPath: context + "/planted"))
            for mount in [
                "from=evil,source=/host-link", "from=evil,source=/climb", "from=evil,source=/climb/..",
                "from=evil,source=/proc-link", "from=evil,source=/cwd-link",
                "from=evil,source=../../..\(host)",
                "source=context-host", "source=context-climb", "source=../host", "source=context-proc",
                "source=context-climb/../host",
            ] {
                try ctr.file(
                    "context/Dockerfile",
                    """
                    FROM busybox:test AS evil
                    RUN ln -s / /root-link; ln -s \(host) /host-link; ln -s ../../../../../..\(host) /climb; \\
                        mkdir /dir; ln -s /proc/1/root /proc-link; ln -s /proc/self/cwd /cwd-link
                    FROM busybox:test
                    RUN --mount=\(mount),target=/m,rw cat /m/secret /m/host/secret /m\(host)/secret; touch /m/planted; true
                    """)
                try expectUntouched(ctr, try ctr.build(context))
            }
        }
    }

    @Test(arguments: ["type=cache", "type=tmpfs", "type=bind", "type=secret,id=s"])
    func cve2024_9407_mountTargetsThatAreLinks(_ mount: String) throws {
        try withFixture { ctr in
            let host = try host(ctr)
            let secret = try ctr.file("a-secret", "s")
            let context = try ctr.context(
                """
                FROM busybox:test
                RUN ln -s \(host) /host-link; ln -s ../../../../../../../..\(host) /climb; ln -s /proc/1/root /proc-link
                RUN --mount=\(mount),target=/host-link/new touch \(host)/x; true
                RUN --mount=\(mount),target=/climb/new/deep true
                RUN --mount=\(mount),target=../../../../..\(host)/other true
                """)
            // It is refused or done inside of the image: what counts is the host.
            let outcome = try ctr.build("--secret", "id=s,src=\(secret)", context)
            #expect(outcome.steps.contains { $0.title.contains("target=/host-link") }, "\(outcome.whole)")
            try expectUntouched(ctr, outcome)
            try ctr.file(
                "context/Dockerfile",
                "FROM busybox:test\nRUN ln -s /proc/1/root /p\nRUN --mount=\(mount),target=/p\(host)/new true\n"
            )
            try expectUntouched(ctr, try ctr.build("--secret", "id=s,src=\(secret)", context))
        }
    }

    @Test func cve2024_9675_cacheMountsWithNamesThatClimb() throws {
        try withFixture { ctr in
            let host = try host(ctr)
            let ids = [
                "../../..", "../../../../host", host, ".", "..", "a/../../../../host", "\\\\..\\\\..",
                "x\\ny",
            ]
            let runs = ids.map {
                "RUN --mount=type=cache,\"id=\($0)\",target=/c cat /c/secret 2>/dev/null; touch /c/planted; ls /c"
            }
            let context = try ctr.context((["FROM busybox:test"] + runs).joined(separator: "\n"))
            let outcome = try ctr.built(context)
            for step in outcome.steps.filter(\.isLayer) { #expect(step.lines == ["planted"]) }
            try expectUntouched(ctr, outcome)
            let mounts = try FileManager.default.contentsOfDirectory(atPath: ctr.root + "/build/mounts")
            #expect(mounts.count == ids.count)
            #expect(mounts.allSatisfy { $0.count == 64 && $0.allSatisfy(\.isHexDigit) })
        }
    }

    /// Directories of the context are swapped for links to the host while it is read.
    @Test func cve2024_11218_linksSwappedDuringTheBuild() throws {
        try withFixture { ctr in
            let host = try host(ctr)
            let context = try ctr.context(
                """
                FROM busybox:test AS copy
                COPY sub /copied
                COPY sub/secret /single
                FROM busybox:test AS mount
                RUN --mount=source=sub,target=/m cat /m/secret > /out; ls -R /m > /list; true
                FROM busybox:test
                COPY --from=copy /copied /copied
                COPY --from=mount /out /out
                """, ["sub/secret": "of the context", "sub/deep/file": "x"])
            let swaps = """
                i=0; while [ ! -e "$1/stop" ]; do ln -s "$2" "$1/context/t"; mv -T "$1/context/sub" "$1/context/u"; \
                mv -T "$1/context/t" "$1/context/sub"; rm "$1/context/sub"; mv -T "$1/context/u" "$1/context/sub"; done
                """
            let swapper = try ChildProcess(
                ["/bin/sh", "-c", swaps, "sh", ctr.directory, host], environment: ctr.environment)
            defer {
                _ = FileManager.default.createFile(atPath: ctr.path("stop"), contents: nil)
                _ = swapper.finish(timeout: 10)
            }
            for _ in 0..<15 {
                let outcome = try ctr.build("--no-cache", context)
                try expectUntouched(ctr, outcome)
            }
        }
    }

    @Test func cve2021_3602_theHostsEnvironmentStaysOutside() throws {
        try withFixture { ctr in
            _ = try host(ctr)
            let context = try ctr.context(
                "FROM busybox:test\nRUN env; tr '\\\\0' '\\\\n' < /proc/1/environ\n")
            let outcome = try ctr.built(
                "-t", "x:1", context,
                environment: [
                    "A_MARK": Self.canary, "LD_PRELOAD_X": "1", "HTTP_PROXY": "http://\(Self.canary)",
                ])
            let names = Set(
                try outcome.step("env").lines.compactMap { $0.split(separator: "=").first.map(String.init) })
            #expect(names.isSubset(of: ["PATH", "HOME", "HOSTNAME", "PWD", "SHLVL"]), "\(names)")
            try expectUntouched(ctr, outcome)
        }
    }

    @Test func destinationsThatAreLinks() throws {
        try withFixture { ctr in
            let host = try host(ctr)
            var tar = TarArchive()
            tar.symbolicLink("tarlink", to: host)
            tar.file("tarlink/planted", "x")
            tar.hardLink("stolen", to: "../../../../../../..\(host)/secret")
            try ctr.file("context/evil.tar", tar.finished)
            for line in [
                "WORKDIR /host-link/work\nRUN pwd; touch here", "WORKDIR /climb/work",
                "COPY f /host-link/planted",
                "COPY f /climb/planted", "COPY f /host-link/", "COPY --link f /host-link/planted",
                "COPY f ../../../../../../..\(host)/planted", "COPY dir /",
                "COPY --chown=1:1 --chmod=777 f /host-link",
                "ADD evil.tar /", "ADD evil.tar /host-link/", "COPY <<E /climb/planted\nx\nE",
                "COPY --from=0 /host-link/secret /stolen", "COPY --from=0 /climb /stolen",
                "COPY --from=0 /proc-link\(host)/secret /stolen", "COPY link /stolen",
                "COPY link/secret /stolen",
                "ADD climb /stolen", "ADD climb/secret /stolen", "COPY lin[k]/secret /stolen",
                "COPY l*/s* /stolen/",
                "COPY --parents link/secret /stolen/", "COPY deep/../../host/secret /stolen",
            ] {
                try ctr.context(
                    """
                    FROM busybox:test AS links
                    RUN ln -s \(host) /host-link; ln -s ../../../../../../../..\(host) /climb; ln -s /proc/1/root /proc-link
                    FROM links
                    \(line)
                    """, ["f": "planted", "dir/host-link/planted": "x", "deep/x": "x"])
                for (target, name) in [(host, "link"), ("../host", "climb")] {
                    symlink(target, "\(ctr.path("context"))/\(name)")
                }
                let outcome = try ctr.build(ctr.path("context"))
                #expect(outcome.steps.contains { $0.title.contains("RUN ln -s") }, "\(outcome.whole)")
                try expectUntouched(ctr, outcome)
            }
        }
    }

    /// The Dockerfile and .dockerignore of a context are not read through links that lead out of it: a stranger's context
    /// would show a file of the host in the excerpt of an error.
    @Test func theFilesOfABuildAreNotReadThroughLinks() throws {
        try withFixture { ctr in
            let host = try host(ctr)
            try ctr.file("outside-ignore", "f\n")
            for target in [host + "/secret", "../host/secret", "/proc/self/root\(host)/secret"] {
                let context = try ctr.makeDirectory("context")
                unlink(context + "/Dockerfile")
                symlink(target, context + "/Dockerfile")
                let outcome = try ctr.build(context)
                #expect(outcome.code == 1)
                try expectUntouched(ctr, outcome)
                var tar = TarArchive()
                tar.symbolicLink("Dockerfile", to: target)
                let streamed = try ctr.build("-", input: tar.finished)
                #expect(streamed.code == 1)
                try expectUntouched(ctr, streamed)
            }
            let context = try ctr.makeDirectory("ignoring")
            try ctr.file("ignoring/Dockerfile", "FROM busybox:test\nCOPY f /f\n")
            try ctr.file("ignoring/f", "f")
            symlink("../outside-ignore", context + "/.dockerignore")
            symlink(ctr.path("outside-ignore"), context + "/Dockerfile.dockerignore")
            let outcome = try ctr.build(context)
            #expect(outcome.code == 0 || !outcome.stderr.contains("\"/f\": not found"), "\(outcome.whole)")
        }
    }

    /// What a RUN may do is what a container may.
    @Test func cve2022_24769_aStepIsHeldAsAContainer() throws {
        try withFixture { ctr in
            let image = try {
                _ = try host(ctr); return "busybox:test"
            }()
            let look = """
                grep -E '^(Cap|Seccomp|NoNewPrivs|Groups|Uid|Gid)' /proc/self/status; \
                awk '$5 != "/" && $5 !~ /^.etc/ { print $5, $6 }' /proc/self/mountinfo | sort; ls /dev | sort; \
                ls /proc/self/fd | wc -l; cat /proc/self/oom_score_adj; umask; \
                unshare -m true 2>&1 || echo no namespaces; mount -t tmpfs x /tmp 2>&1 || echo no mounts; \
                echo x 2>/dev/null > /proc/sys/kernel/hostname || echo no sysctl; ulimit -n
                """
            let script = try ctr.file("context/look", look)
            _ = script
            try ctr.file(
                "context/Dockerfile",
                "FROM busybox:test\nRUN --mount=source=look,target=/tmp/look sh /tmp/look\n")
            let step = try ctr.built(ctr.path("context")).step("look").lines
            let container = try ctr.ok(
                "run", "--rm", "-v", "\(ctr.path("context/look")):/tmp/look:ro", image, "sh", "/tmp/look"
            ).components(separatedBy: "\n")
            // How the file itself is mounted is the flag's, not the step's.
            func comparable(_ lines: [String]) -> [String] { lines.filter { !$0.hasPrefix("/tmp/look") } }
            #expect(comparable(step) == comparable(container))
            #expect(step.contains("CapInh:\t0000000000000000") && step.contains("CapAmb:\t0000000000000000"))
            #expect(step.contains("CapEff:\t00000000a80425fb") && step.contains("Seccomp:\t2"))
            #expect(step.contains("no mounts") && step.contains("no sysctl"))
        }
    }
}
