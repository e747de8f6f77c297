import Foundation
import Testing

/// The same context built by Debian's buildah and by ctr: the same files, but for what is told in `byDesign`.
@Suite("build: the same files as another builder", .needs(.buildah, .tar, .setcap))
struct BuildCopyTests {
    /// What differs by design: a part of the path, what of the line differs, and why.
    private static let byDesign: [(path: String, reason: String)] = [
        ("/etc/hosts", "buildah leaves the places of its mounts; here they are in a layer that nobody keeps"),
        ("/etc/hostname", "the same"),
        ("/etc/resolv.conf", "the same"),
        ("/run", "the same"),
        (
            "/exist/link",
            "COPY onto a link of the image writes what it points to, as BuildKit; buildah replaces it"
        ),
        (
            "/nowhere",
            "COPY onto a dangling link makes what it points to, as BuildKit; buildah makes a directory"
        ),
        ("/nowhere/f", "the same"),
    ]

    /// buildah takes set-id bits away from what it copies, BuildKit and ctr keep them.
    private static func withoutSetID(_ line: String) -> String {
        guard let mode = line.split(separator: " ").first, let bits = UInt32(mode, radix: 8) else {
            return line
        }
        return String(bits & ~0o6000, radix: 8) + line.dropFirst(mode.count)
    }

    private static let base = "FROM peerbase:1\n"

    private static let run =
        base + """
            RUN mknod /null c 1 3; mknod /blk b 7 0; mkfifo /fifo; rm -rf /home; mkdir /home; touch /home/new; \\
                mv /var/lib /var/lib2; chmod 4755 /bin/busybox; mkdir -p /d/sticky /d/empty; chmod 1777 /d/sticky; \\
                echo a > /d/a; ln /d/a /d/hard; ln -s /d /link; ln -s ../d/a /d/rel; chown 12:34 /d/a; rmdir /usr/bin; \\
                chmod 700 /root
            RUN rm /etc/passwd; mv /d/sticky /d/moved; rm /d/hard; ln /d/a /d/again; rm -rf /home; rm /fifo; mkdir /fifo; \\
                rm -r /d/empty; echo file > /d/empty; mv /d /e; mkdir /d; touch /d/new
            """

    private static let copy =
        base + """
            RUN mkdir -p /exist/dir /d; echo old > /exist/file; ln -s /exist/file /exist/link; ln -s /d /link; \\
                ln -s nowhere /dangling; echo old > /d/a.txt
            COPY --chown=app:daemon f /f
            COPY f /link/through
            COPY f /exist/file
            COPY f /exist/link
            COPY f /exist/dir
            COPY f /new/dirs/
            COPY f g /many/
            COPY tree /tree
            COPY tree /link
            COPY tree/. /treedot
            COPY tree/sub /merge
            COPY tree /merge/
            COPY tree/tolink /tolink
            COPY --chmod=4711 f /setid
            COPY --chown=1:2 tree /owned
            COPY --chown=app tree/sub /ownedsub/deep/
            COPY tree/su? /wild/
            COPY tree/*.txt /wild2/
            COPY f /dangling
            WORKDIR /w/x
            COPY f .
            COPY f ../y
            COPY dirlink /dirlink
            COPY dirlink/ /dirlink2
            ADD a.tar /untar/
            ADD a.tar.gz /untar2/
            COPY a.tar /nottar/
            """

    private static let stages =
        base + """
            RUN mkdir -p /src/empty; echo x > /src/x; ln /src/x /src/hard; ln -s x /src/link; chown 5:6 /src/link; \\
                chown 7:8 /src/x; mkdir /src/sticky; chmod 1770 /src/sticky; chown 9 /src/sticky
            FROM peerbase:1
            COPY --from=0 /src /dst
            COPY --from=0 /src/ /dst2/
            COPY --from=0 /src/x /src/link /single/
            COPY --from=0 --chown=root:root /src /rooted
            """

    @Test(arguments: ["run", "copy", "stages"])
    func sameFiles(_ which: String) throws {
        try withFixture { ctr in
            let context = try prepare(ctr)
            let text = ["run": Self.run, "copy": Self.copy, "stages": Self.stages][which] ?? ""
            try ctr.file("context/Dockerfile", text + "\n")
            let peer = try peer(ctr, context)
            let tar = ctr.path("mine.tar")
            try ctr.built("-o", "type=tar,dest=\(tar)", context)
            let mine = try ctr.makeDirectory("mine")
            try ctr.tool(
                .tar, "--xattrs", "--xattrs-include=*", "--numeric-owner", "-xpf", tar, "-C", mine)
            let ours = try FileTree.describe(mine).mapValues(Self.withoutSetID)
            let theirs = try FileTree.describe(peer.tree).mapValues(Self.withoutSetID)
            #expect(ours.count > 80)
            for (path, lines) in FileTree.differences(ours, theirs)
            where !Self.byDesign.contains(where: { $0.path == path }) {
                Issue.record("\(path)\n     ctr: \(lines.0)\n buildah: \(lines.1)")
            }
        }
    }

    /// The set-id bits, which the peer cannot tell of.
    @Test func setIDBitsAreKept() throws {
        try withFixture { ctr in
            let context = try prepare(ctr)
            try ctr.file("context/Dockerfile", Self.copy)
            try ctr.built("-t", "mine:1", context)
            #expect(
                try ctr.run("mine:1", "stat -c %a /tree/sgid /tree/sub/exe /owned/sub/exe /setid")
                    == "2750\n4755\n4755\n4711")
        }
    }

    @Test func sameConfig() throws {
        try withFixture { ctr in
            let context = try prepare(ctr)
            try ctr.file(
                "context/Dockerfile",
                Self.base + """
                    ARG X=1
                    ENV A=$X B="two words"
                    LABEL one=1 two="x y"
                    EXPOSE 80 90/udp
                    VOLUME /data
                    USER app:extra
                    WORKDIR /w
                    WORKDIR x
                    STOPSIGNAL SIGINT
                    ENTRYPOINT ["/bin/sh", "-c"]
                    CMD echo hello
                    SHELL ["/bin/sh", "-e", "-c"]
                    ONBUILD RUN true
                    HEALTHCHECK --interval=3s --retries=2 CMD true
                    """)
            let peer = try peer(ctr, context, withTree: false)
            try ctr.built("-t", "mine:1", context)
            let id = try ctr.inspect("mine:1", "{{.Id}}").dropFirst("sha256:".count)
            let blob = try JSONSerialization.jsonObject(
                with: Data(
                    try Data(contentsOf: URL(fileURLWithPath: "\(ctr.root)/content/blobs/sha256/\(id)"))))
            var ours = try #require((blob as? [String: Any])?["config"] as? [String: Any])
            var theirs = peer.config
            // buildah's own label, and PATH, which every image of docker's has.
            if var labels = theirs["Labels"] as? [String: String] {
                labels["io.buildah.version"] = nil
                theirs["Labels"] = labels
            }
            func withoutPath(_ value: Any?) -> [String] {
                (value as? [String] ?? []).filter { !$0.hasPrefix("PATH=") }
            }
            ours["Env"] = withoutPath(ours["Env"])
            theirs["Env"] = withoutPath(theirs["Env"])
            // Of the container that it was built in.
            theirs["Hostname"] = nil
            theirs = theirs.filter { key, value in
                !(value is NSNull) && value as? String != "" && value as? Bool != false
            }
            for key in Set(ours.keys).union(theirs.keys) {
                func text(_ value: Any?) throws -> String {
                    guard let value else { return "nothing" }
                    return String(
                        decoding: try JSONSerialization.data(
                            withJSONObject: ["v": value], options: [.sortedKeys]), as: UTF8.self)
                }
                #expect(try text(ours[key]) == text(theirs[key]), "\(key)")
            }
        }
    }

    // MARK: the peer

    private func prepare(_ ctr: Fixture) throws -> String {
        let context = try ctr.context(nil, ["g": "g", "tree/a.txt": "1", "tree/b.txt": "2", "tree/cap": "c"])
        try ctr.file("context/f", "f", mode: 0o640)
        try ctr.file("context/tree/sub/exe", "x", mode: 0o4755)
        _ = try ctr.makeDirectory("context/tree/sub/deep")
        _ = try ctr.makeDirectory("context/tree/empty")
        _ = try ctr.makeDirectory("context/tree/sgid", mode: 0o2750)
        chmod(context + "/tree/sub", 0o700)
        link(context + "/tree/a.txt", context + "/tree/hard.txt")
        for (target, name) in [
            ("a.txt", "tree/tolink"), ("/etc/passwd", "tree/abs"), ("sub", "tree/todir"), ("tree", "dirlink"),
        ] {
            symlink(target, "\(context)/\(name)")
        }
        chown(context + "/tree/b.txt", 5, 6)
        try ctr.tool(.setcap, "cap_net_raw+ep", context + "/tree/cap")
        try FileTree.setAttribute("user.test", "value", of: context + "/tree/b.txt")
        var tar = TarArchive()
        tar.directory("tt", mode: 0o2755, uid: 7)
        tar.file("tt/in", "in", uid: 7, gid: 8)
        tar.add("tt/in2", .hardLink, uid: 7, gid: 8, link: "tt/in")
        try ctr.file("context/a.tar", tar.finished)
        try ctr.file("context/a.tar.gz", try ctr.tool(.gzip, "-nc", input: tar.finished).output)
        try ctr.ok("import", "-c", "CMD [\"sh\"]", try ctr.file("base.tar", Busybox.tar), "peerbase:1")
        return context
    }

    /// Builds in a storage of its own, below the fixture; the tree of the result and its config.
    private func peer(_ ctr: Fixture, _ context: String, withTree: Bool = true) throws -> (
        tree: String, config: [String: Any]
    ) {
        let program = try #require(Tool.buildah.path)
        func buildah(_ arguments: String...) throws -> Outcome {
            let outcome = try ChildProcess(
                [
                    program, "--root", ctr.path("peer"), "--runroot", ctr.path("peer-run"),
                    "--storage-driver", "vfs",
                ] + arguments,
                environment: ctr.environment.merging(["CONTAINERS_STORAGE_CONF": "/dev/null"]) { $1 }
            ).finish(timeout: 240)
            try #require(outcome.code == 0, "\(outcome.whole)")
            return outcome
        }
        ctr.onCleanUp {
            for mount in Leftovers.mounts(below: ctr.path("peer")).reversed() {
                _ = try? ChildProcess(["/bin/umount", "-l", mount]).finish(timeout: 10)
            }
        }
        let archive = ctr.path("peerbase.tar")
        try ctr.ok("save", "-o", archive, "peerbase:1")
        _ = try buildah("pull", "-q", "docker-archive:\(archive)")
        _ = try buildah(
            "bud", "--isolation", "chroot", "--cap-add", "CAP_MKNOD", "--network", "host", "--format",
            "docker",
            "--pull-never", "--layers=false", "-t", "peer:1", context)
        let inspection = try buildah("inspect", "--type", "image", "localhost/peer:1")
        let all =
            try JSONSerialization.jsonObject(with: Data(inspection.output)) as? [String: Any] ?? [:]
        let docker = try #require((all["Docker"] as? [String: Any])?["config"] as? [String: Any])
        // A container of it would do what its ONBUILD says.
        guard withTree else { return ("", docker) }
        let container = try buildah("from", "--pull-never", "localhost/peer:1").text
        return (try buildah("mount", container).text, docker)
    }
}
