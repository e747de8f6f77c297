import Foundation
import Testing

@Suite("build: the same image everywhere", .needs())
struct BuildReproducibilityTests {
    private static let dockerfile = """
        FROM busybox:test AS made
        ARG MORE=more
        ENV A=1
        LABEL made=here
        WORKDIR /srv
        COPY --chown=app dir/ dir/
        COPY file exe ./
        RUN echo $MORE > out; mkdir -p deep/er; echo x > deep/er/x; touch -t 200001010000 old; ln out hard; \\
            ln -s out link; chown app out; date > /dev/null; mkfifo fifo; rm /etc/group; rm -rf /home; mkdir /home
        ADD tree.tar /untar/
        COPY <<EOT /heredoc
        text
        EOT
        FROM busybox:test
        COPY --from=made /srv /srv
        COPY --from=made --link /untar /untar
        RUN cat /srv/out > /again
        """

    /// An archive of the base: what `import` makes has the time of its making.
    private func base(_ ctr: Fixture) throws -> String {
        try ctr.busybox()
        let archive = ctr.path("base.tar")
        try ctr.ok("save", "-o", archive, "busybox:test")
        return archive
    }

    /// A context whose files are made in this order, with these times; the content is always the same.
    private func context(_ ctr: Fixture, _ name: String, reversed: Bool, time: Int) throws -> String {
        var tar = TarArchive()
        tar.add("in/tar", mode: 0o640, uid: 3, gid: 4, content: Array("in a tar".utf8), time: 1_000_000_000)
        var files: [(String, [UInt8], mode_t)] = [
            ("Dockerfile", Array(Self.dockerfile.utf8), 0o644), ("file", Array("content".utf8), 0o640),
            ("exe", Array("#!/bin/sh\n".utf8), 0o755), ("tree.tar", tar.finished, 0o644),
        ]
        for number in 0..<40 { files.append(("dir/f\(number)", Array("\(number)".utf8), 0o644)) }
        if reversed { files.reverse() }
        for (file, bytes, mode) in files { try ctr.file("\(name)/\(file)", bytes, mode: mode) }
        let path = ctr.path(name)
        chmod(path, 0o755)
        chmod(path + "/dir", 0o755)
        for (file, _, _) in files + [("dir", [], 0)] {
            var times = [timeval(tv_sec: time, tv_usec: 5), timeval(tv_sec: time, tv_usec: 5)]
            utimes("\(path)/\(file)", &times)
        }
        return path
    }

    /// The identities of a build by ctr in a root of its own, started by other words (a shell that sets an umask).
    private func identity(
        _ ctr: Fixture, root: String, _ context: String, before: [String] = [],
        environment: [String: String] = [:], arguments: [String] = []
    ) throws -> ImageIdentity {
        let words = [Program.ctr, "--root", ctr.path(root), "--run-root", ctr.path(root + "-run")]
        let settings = ctr.environment.merging(environment) { $1 }
        let load = try ChildProcess(words + ["load", "-i", ctr.path("base.tar")], environment: settings)
            .finish(timeout: 60)
        try #require(load.code == 0, "\(load)")
        let metadata = ctr.path("\(root).json")
        let outcome = try ChildProcess(
            before + words + ["build", "--metadata-file", metadata] + arguments + [context],
            environment: settings
        ).finish(timeout: 120)
        try #require(outcome.code == 0, "\(outcome.whole)")
        let fields =
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(fileURLWithPath: metadata)))
            as? [String: String] ?? [:]
        let found = ImageIdentity(
            id: fields["containerimage.config.digest"] ?? "", manifest: fields["containerimage.digest"] ?? "")
        #expect(found.id.count == 71 && found.manifest.count == 71, "\(found)")
        return found
    }

    @Test(.needs(.unshare)) func whateverTheMachineIs() throws {
        try withFixture { ctr in
            _ = try base(ctr)
            let one = try context(ctr, "one", reversed: false, time: 1_600_000_000)
            let two = try context(ctr, "two", reversed: true, time: 1_700_000_123)
            let first = try identity(ctr, root: "root-1", one)
            let unshare = try #require(Tool.unshare.path)
            let others: [(String, ImageIdentity)] = [
                ("another root", try identity(ctr, root: "a/longer/path/of/root-2", one)),
                ("another context, order and times", try identity(ctr, root: "root-3", two)),
                (
                    "another umask",
                    try identity(
                        ctr, root: "root-4", two, before: ["/bin/sh", "-c", "umask 077; exec \"$@\"", "sh"])
                ),
                (
                    "another time zone and language",
                    try identity(
                        ctr, root: "root-5", one,
                        environment: ["TZ": "Asia/Kathmandu", "LANG": "tr_TR.UTF-8", "LC_ALL": "tr_TR.UTF-8"])
                ),
                (
                    "another host name",
                    try identity(
                        ctr, root: "root-6", one,
                        before: [unshare, "-u", "/bin/sh", "-c", "hostname elsewhere; exec \"$@\"", "sh"])
                ),
                ("no cache", try identity(ctr, root: "root-1", two, arguments: ["--no-cache"])),
                ("all cached", try identity(ctr, root: "root-1", one)),
            ]
            for (what, other) in others { #expect(other == first, "\(what)") }
        }
    }

    @Test(.needs(.faketime)) func whateverTheTimeIs() throws {
        try withFixture { ctr in
            _ = try base(ctr)
            let one = try context(ctr, "one", reversed: false, time: 1_600_000_000)
            let faketime = try #require(Tool.faketime.path)
            let first = try identity(ctr, root: "root-1", one)
            let later = try identity(
                ctr, root: "root-2", one, before: [faketime, "2031-01-02 03:04:05"])
            #expect(first == later)
        }
    }

    /// Files, history and the image have the time that was asked for, and no other.
    @Test func sourceDateEpoch() throws {
        try withFixture { ctr in
            _ = try base(ctr)
            let one = try context(ctr, "one", reversed: false, time: 1_600_000_000)
            let cold = try identity(
                ctr, root: "root-1", one, environment: ["SOURCE_DATE_EPOCH": "1234567890"])
            let asArgument = try identity(
                ctr, root: "root-2", one, arguments: ["--build-arg", "SOURCE_DATE_EPOCH=1234567890"])
            #expect(cold == asArgument)
            // A cache of another time gives what a cold build gives, and nothing is run again.
            let none = try identity(ctr, root: "root-3", one)
            #expect(none != cold)
            let warm = try identity(
                ctr, root: "root-3", one, environment: ["SOURCE_DATE_EPOCH": "1234567890"])
            #expect(warm == cold)
            #expect(try identity(ctr, root: "root-3", one) == none)

            try ctr.built("-t", "x:1", one, environment: ["SOURCE_DATE_EPOCH": "1234567890"])
            #expect(try ctr.inspect("x:1", "{{.Created}}") == "2009-02-13T23:31:30Z")
            #expect(
                try ctr.run(
                    "x:1", "stat -c %Y /srv/out /srv/file /srv/deep/er /again /untar /untar/in/tar")
                    == Array(repeating: "1234567890", count: 6).joined(separator: "\n"))
            try ctr.buildFails(
                one, says: ["SOURCE_DATE_EPOCH"], environment: ["SOURCE_DATE_EPOCH": "yesterday"])
        }
    }

    /// The names of a build are no part of it, and neither is who asks for it.
    @Test func namesAndPaths() throws {
        try withFixture { ctr in
            _ = try base(ctr)
            let one = try context(ctr, "one", reversed: false, time: 1_600_000_000)
            let first = try ctr.identityOfBuild(["-t", "a:1", one])
            #expect(try ctr.identityOfBuild(["-t", "b:2", one + "/."]) == first)
            #expect(
                try ctr.identityOfBuild(["-f", one + "/Dockerfile", one], environment: ["A": "x"]) == first)
            #expect(try ctr.identityOfBuild([one, "--label", "x=y"]) != first)
        }
    }
}
