import Foundation
import Testing

@Suite("build: stages and mistakes", .needs())
struct BuildStageTests {
    private static let stages = """
        FROM busybox:test AS one
        RUN echo one > /one
        FROM busybox:test AS bad
        RUN exit 1
        FROM one AS two
        RUN echo two > /two
        FROM busybox:test
        COPY --from=ONE /one /by-name
        COPY --from=2 /two /by-number
        COPY --from=busybox:test /etc/group /by-image
        RUN --mount=from=two,target=/m cat /m/one /m/two > /by-mount
        """

    @Test func byNameNumberAndImage() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let outcome = try ctr.built("-t", "x:1", try ctr.context(Self.stages))
            #expect(try ctr.run("x:1", "cat /by-name /by-number /by-mount") == "one\ntwo\none\ntwo")
            #expect(
                try ctr.run("x:1", "head -n 1 /by-image; ls /one /two 2>&1 | wc -l").hasPrefix("root:x:0"))
            #expect(
                !outcome.stderr.contains("exit 1"), "a stage that is not needed was built: \(outcome.whole)")
        }
    }

    @Test func target() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(Self.stages)
            let outcome = try ctr.built("-t", "x:1", "--target", "Two", context)
            #expect(
                outcome.steps.filter(\.isLayer).map(\.instruction) == [
                    "RUN echo one > /one", "RUN echo two > /two",
                ])
            #expect(try ctr.run("x:1", "cat /one /two; ls /by-name 2>/dev/null || true") == "one\ntwo")
            try ctr.built("-t", "x:2", "--target", "0", context)
            #expect(try ctr.run("x:2", "cat /one") == "one")
            try ctr.buildFails("--target", "tow", context, says: ["tow", "did you mean", "two"])
        }
    }

    /// One line with the place and an excerpt, exit code 1, and no image.
    @Test func aStepThatFails() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context("FROM busybox:test\n\nRUN echo fine && \\\n    exit 42\nRUN true\n")
            let outcome = try ctr.buildFails(
                "-t", "x:1", context,
                says: ["Dockerfile:3", "exit 42", "exit code: 42", "3 >| RUN echo fine"])
            #expect(try outcome.step("exit 42").lines == ["fine"])
            #expect(try outcome.step("exit 42").end == "ERROR")
            #expect(!outcome.stderr.contains("RUN true\n#"))
            #expect(try ctr.ok("images", "-q", "x") == "")
            let missing = try ctr.context("missing", "FROM busybox:test\nRUN [\"/no/such\"]\n")
            try ctr.buildFails(missing, says: ["Dockerfile:2", "/no/such"])
        }
    }

    @Test(arguments: [
        ("RNU true", ["Dockerfile:2", "RNU", "did you mean", "RUN"]),
        ("COPY --bogus=1 a b", ["Dockerfile:2", "--bogus"]),
        ("COPY onlyone", ["Dockerfile:2", "COPY"]),
        ("COPY missing.txt /", ["Dockerfile:2", "missing.txt", "not found"]),
        ("COPY a missing*.txt missing.txt /d/", ["Dockerfile:2", "missing.txt", "not found"]),
        ("COPY ../outside /", ["Dockerfile:2", "outside"]),
        ("COPY --from=nosuchstage:v1/.. /a /b", ["Dockerfile:2"]),
        ("COPY --chown=nobodyhere a /", ["Dockerfile:2", "nobodyhere"]),
        ("COPY --chmod=99999 a /", ["Dockerfile:2", "99999"]),
        ("RUN --security=insecure true", ["Dockerfile:2", "--security=insecure"]),
        ("RUN --mount=type=bogus true", ["Dockerfile:2", "bogus"]),
        ("RUN --mount=type=secret,id=none,required true", ["Dockerfile:2", "none"]),
        ("RUN --mount=from=nosuch/..,target=/m true", ["Dockerfile:2"]),
        ("ENV", ["Dockerfile:2", "ENV"]),
        ("ENV =value", ["Dockerfile:2"]),
        ("EXPOSE 99999999", ["Dockerfile:2", "99999999"]),
        ("STOPSIGNAL SIGBOGUS", ["Dockerfile:2", "SIGBOGUS"]),
        ("USER nobodyhere\nRUN true", ["Dockerfile:3", "nobodyhere"]),
        ("ONBUILD FROM x", ["Dockerfile:2", "ONBUILD"]),
        ("ONBUILD ONBUILD RUN x", ["Dockerfile:2", "ONBUILD"]),
        ("HEALTHCHECK --interval=x CMD true", ["Dockerfile:2"]),
        ("LABEL a", ["Dockerfile:2", "LABEL"]),
        ("RUN <<EOT\ntrue", ["Dockerfile:2", "EOT"]),
        ("LABEL a=${x:?is needed}", ["Dockerfile:2", "is needed"]),
        ("FROM ", ["Dockerfile:2", "FROM"]),
        ("FROM a AS 1bad", ["Dockerfile:2", "1bad"]),
    ])
    func mistakes(_ line: String, _ says: [String]) throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context("FROM busybox:test\n\(line)\n", ["a": "a"])
            try ctr.buildFails(context, says: says)
        }
    }

    @Test func emptyAndMissing() throws {
        try withFixture { ctr in
            try ctr.busybox()
            try ctr.buildFails(try ctr.context("empty", ""), says: ["Dockerfile"])
            try ctr.buildFails(try ctr.context("comments", "# nothing\n"), says: ["Dockerfile"])
            try ctr.buildFails(try ctr.context("none", nil), says: ["no Dockerfile"])
            try ctr.buildFails(ctr.path("nosuch"), says: ["nosuch"])
            try ctr.buildFails(
                "-f", ctr.path("nosuch"), try ctr.context("none", nil), says: ["nosuch"])
            try ctr.buildFails(try ctr.context("args", "ARG A\nRUN x\n"), says: ["Dockerfile:2"])
            try ctr.buildFails(try ctr.context("blank", "ARG A\nFROM $A\n"), says: ["Dockerfile:2", "blank"])
        }
    }

    /// Stages that need nothing of each other run at the same time, and the first failure ends the others.
    @Test func stagesRunTogether() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let wait =
                "i=0; until [ -e /c/$OTHER ]; do sleep 0.05; i=$((i+1)); [ $i -lt 400 ] || exit 1; done"
            let together = try ctr.context(
                """
                FROM busybox:test AS a
                RUN --mount=type=cache,target=/c touch /c/a; OTHER=b; \(wait)
                FROM busybox:test AS b
                RUN --mount=type=cache,target=/c touch /c/b; OTHER=a; \(wait)
                FROM scratch
                COPY --from=a /etc/group /a
                COPY --from=b /etc/group /b
                """)
            try ctr.built(together)
            let failing = try ctr.context(
                "failing",
                """
                FROM busybox:test AS a
                RUN sleep 60
                FROM busybox:test AS b
                RUN sleep 0.5; exit 9
                FROM scratch
                COPY --from=a /etc/group /a
                COPY --from=b /etc/group /b
                """)
            let begin = Date()
            let outcome = try ctr.buildFails(failing, says: ["Dockerfile:4", "exit code: 9"])
            #expect(Date().timeIntervalSince(begin) < 20)
            #expect(try outcome.step("sleep 60").end == "CANCELED")
        }
    }
}
