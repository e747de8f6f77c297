import Foundation
import Testing

/// config.md, "Root" and "Mounts"; config-linux.md, "Rootfs Mount Propagation", "Masked Paths", "Readonly Paths".
@Suite("oci: mounts", .needs())
struct OCIMountTests {
    /// The per-mount options of one mount point of the container, then after the dash those of the file system.
    private func options(_ box: RuntimeBundle, _ place: String) throws -> (
        own: [String], fields: [String], type: String, data: [String]
    ) {
        let text = try box.prints("grep ' \(place) ' /proc/self/mountinfo | tail -n 1")
        let parts = text.components(separatedBy: " - ")
        let left = parts[0].split(separator: " ").map(String.init)
        let right = parts.last?.split(separator: " ").map(String.init) ?? []
        try #require(left.count > 5 && right.count > 2, "no mount at \(place): \(text)")
        return (
            left[5].components(separatedBy: ","), Array(left[6...]), right[0],
            right[2].components(separatedBy: ",")
        )
    }

    private static let perMount: [(String, String)] = [
        ("ro", "ro"), ("rw", "rw"), ("nosuid", "nosuid"), ("nodev", "nodev"), ("noexec", "noexec"),
        ("noatime", "noatime"), ("relatime", "relatime"), ("nodiratime", "nodiratime"),
        ("nosymfollow", "nosymfollow"),
    ]

    @Test func perMountOptionsOfATmpfs() throws {
        try withBundle { box in
            let good = box.config
            for (option, shown) in OCIMountTests.perMount {
                box.config = good
                box.config.mount("/data", "tmpfs", type: "tmpfs", [option])
                let found = try options(box, "/data")
                #expect(found.own.contains(shown), "\(option): \(found)")
                #expect(found.type == "tmpfs")
            }
            box.config = good
            box.config.mount("/data", "tmpfs", type: "tmpfs", ["strictatime"])
            let strict = try options(box, "/data").own
            #expect(!strict.contains("relatime") && !strict.contains("noatime"), "\(strict)")
        }
    }

    @Test func perMountOptionsOfABind() throws {
        try withBundle { box in
            let source = try box.fixture.makeDirectory("source")
            let good = box.config
            for (option, shown) in OCIMountTests.perMount {
                box.config = good
                box.config.mount("/data", source, type: "bind", ["bind", option])
                let found = try options(box, "/data")
                #expect(found.own.contains(shown), "\(option): \(found)")
            }
            // The opposites, over what the source has. The later of two decides.
            box.config = good
            box.config.mount(
                "/data", source, type: "bind",
                ["rbind", "ro", "rw", "noexec", "exec", "nosuid", "suid", "nodev", "dev"])
            let found = try options(box, "/data").own
            #expect(found.contains("rw") && !found.contains("noexec"), "\(found)")
            #expect(!found.contains("nosuid") && !found.contains("nodev"), "\(found)")
        }
    }

    /// What the specification lists (config.md, "Linux mount options"), each on a kind of mount that has it.
    @Test(arguments: [
        "async", "atime", "defaults", "dev", "diratime", "dirsync", "exec", "iversion", "lazytime", "loud",
        "mand",
        "noatime", "nodev", "nodiratime", "noexec", "noiversion", "nolazytime", "nomand", "norelatime",
        "nostrictatime", "nosuid", "nosymfollow", "private", "relatime", "rnoatime", "rnodev", "rnodiratime",
        "rnoexec", "rnorelatime", "rnostrictatime", "rnosuid", "rnosymfollow", "ro", "rprivate", "rrelatime",
        "rro",
        "rrw", "rshared", "rslave", "rstrictatime", "rsuid", "rsymfollow", "runbindable", "rw", "shared",
        "silent",
        "slave", "strictatime", "suid", "symfollow", "sync", "tmpcopyup", "unbindable", "rdev", "rexec",
        "rdiratime",
        "ratime", "remount",
    ])
    func everyListedOptionIsTaken(option: String) throws {
        try withBundle { box in
            let before = box.config
            box.config.mount("/data", "tmpfs", type: "tmpfs", [option])
            #expect(try box.prints("echo ok") == "ok")
            guard !["tmpcopyup", "remount"].contains(option) else { return }
            let source = try box.fixture.makeDirectory("source")
            box.config = before
            box.config.mount("/data", source, type: "bind", ["bind", option])
            #expect(try box.prints("echo ok") == "ok")
        }
    }

    /// `remount` of what an entry before has mounted.
    @Test func remounts() throws {
        try withBundle { box in
            box.config.mount("/data", "tmpfs", type: "tmpfs", ["size=64k"])
            box.config.mount("/data", "tmpfs", type: "tmpfs", ["remount", "ro", "nosuid", "size=128k"])
            let found = try options(box, "/data")
            #expect(found.own.contains("ro") && found.own.contains("nosuid"), "\(found)")
            #expect(try box.prints("grep -c ' /data ' /proc/self/mountinfo") == "1")
            #expect(try box.prints("grep ' /data ' /proc/mounts").contains("size=128k"))
        }
    }

    /// Read-only when everything is made there.
    @Test func aReadOnlyDev() throws {
        try withBundle { box in
            box.config["mounts"] = (box.config["mounts"] as? [[String: Any]] ?? []).map { mount in
                var mount = mount
                if mount["destination"] as? String == "/dev" { mount["options"] = ["mode=755", "ro"] }
                return mount
            }
            let text = try box.prints(
                "touch /dev/new || echo no; ls /dev; echo x > /dev/null && echo written")
            #expect(
                text.hasPrefix("no\n") && text.contains("urandom") && text.hasSuffix("written"), "\(text)")
        }
    }

    /// "Runtimes SHOULD treat unknown options as filesystem-specific ones", which a bind has no use for.
    @Test func unknownOptionsOfABind() throws {
        try withBundle { box in
            let source = try box.fixture.makeDirectory("source")
            let before = box.config
            box.config.mount("/data", source, ["bind", "ro", "no-such-option"])
            let outcome = try box.run("touch /data/x || echo no")
            #expect(
                outcome.code == 0 && outcome.text == "no" && outcome.stderr.contains("no-such-option"),
                "\(outcome)")
            box.config = before
            box.config.mount("/data", "tmpfs", type: "tmpfs", ["no-such-option"])
            try box.refusesToCreate(says: ["no-such-option"])
        }
    }

    /// Mounts of the host below the root come along; what the container mounts there stays its own.
    @Test func mountsBelowTheRoot() throws {
        try withBundle { box in
            let data = box.rootfs + "/data"
            let script = """
                mount -t tmpfs below '\(data)' && mount --make-shared '\(data)' && mkdir '\(data)/in' || exit 9
                "$@"; code=$?; grep -c '\(data)/in' /proc/self/mountinfo; umount -l '\(data)'; exit $code
                """
            box.config.mount("/data/in", "tmpfs", type: "tmpfs")
            box.config["process.args"] = ["sleep", "300"]
            try box.write()
            let outcome = try ChildProcess(
                ["/bin/sh", "-c", script, "sh"] + box.words(["create", "--bundle", box.bundle, box.id]),
                environment: box.fixture.environment
            ).finish(timeout: 20)
            #expect(outcome.stdout == "0\n", "\(outcome)")
            try box.delete()
        }
    }

    @Test func superblockOptions() throws {
        try withBundle { box in
            box.config.mount(
                "/data", "tmpfs", type: "tmpfs",
                ["size=64k", "mode=0700", "uid=5", "gid=6", "sync", "nr_inodes=20"])
            let found = try options(box, "/data")
            #expect(
                found.data.contains("size=64k") && found.data.contains("mode=700")
                    && found.data.contains("uid=5")
                    && found.data.contains("gid=6") && found.data.contains("sync"), "\(found)")
        }
    }

    // MARK: Recursive ones

    @Test func bindAndRbind() throws {
        try withBundle { box in
            let source = try box.tree()
            let good = box.config
            box.config.mount("/data", source, type: "bind", ["bind"])
            #expect(try box.prints("ls /data/below | wc -l") == "0")
            box.config = good
            box.config.mount("/data", source, ["rbind"])
            #expect(try box.prints("cat /data/below/file") == "deep")
            box.config = good
            // ro is of the top alone, rro of all.
            box.config.mount("/data", source, type: "bind", ["rbind", "ro"])
            #expect(
                try box.prints("touch /data/x 2>/dev/null || echo top; touch /data/below/x && echo written")
                    == "top\nwritten")
            box.config = good
            box.config.mount("/data", source, type: "bind", ["rbind", "rro"])
            #expect(
                try box.prints(
                    "touch /data/x 2>/dev/null || echo top; touch /data/below/x 2>/dev/null || echo below")
                    == "top\nbelow")
        }
    }

    @Test(arguments: ["nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow", "ro"])
    func recursiveAttributes(option: String) throws {
        try withBundle { box in
            let source = try box.tree()
            box.config.mount("/data", source, type: "bind", ["rbind", "r" + option])
            #expect(try options(box, "/data").own.contains(option))
            #expect(try options(box, "/data/below").own.contains(option))
        }
    }

    // MARK: Propagation

    @Test func propagationOfBinds() throws {
        try withBundle { box in
            let source = try box.tree()
            let good = box.config
            func fields(_ option: String?) throws -> [String] {
                box.config = good
                box.config.mount("/data", source, type: "bind", ["rbind"] + (option.map { [$0] } ?? []))
                return try options(box, "/data").fields
            }
            // Whatever the source is: nothing comes or goes without a word.
            #expect(try fields("private").isEmpty)
            #expect(try fields("rprivate").isEmpty)
            #expect(try fields("unbindable") == ["unbindable"])
            #expect(try fields("shared").contains { $0.hasPrefix("shared:") })
            #expect(try fields("rshared").contains { $0.hasPrefix("shared:") })
        }
    }

    @Test func mountsComeInThroughASlaveAlone() throws {
        try withBundle { box in
            let source = try box.fixture.makeDirectory("source")
            try box.fixture.tool(.mount, "--bind", source, source)
            box.fixture.onCleanUp { _ = try? box.fixture.tool(.umount, "-R", source) }
            try box.fixture.tool(.mount, "--make-shared", source)
            let good = box.config
            for (option, comes) in [("rslave", true), ("rshared", true), ("rprivate", false)] {
                box.config = good
                box.config.mount("/data", source, type: "bind", ["rbind", option])
                try box.runSleeping()
                let late = try box.fixture.makeDirectory("source/late")
                try box.fixture.tool(.mount, "-t", "tmpfs", "late", late)
                let seen = try box.exec("sh", "-c", "grep -c ' /data/late ' /proc/self/mountinfo; true")
                try box.fixture.tool(.umount, late)
                #expect((seen == "1") == comes, "\(option): \(seen)")
                try box.delete()
            }
        }
    }

    @Test(arguments: [
        ("private", [""]), ("rprivate", [""]), ("slave", ["master", ""]), ("rslave", ["master", ""]),
        ("shared", ["shared"]), ("rshared", ["shared"]), ("unbindable", ["unbindable"]),
        ("runbindable", ["unbindable"]),
    ])
    func rootPropagation(value: String, fields: [String]) throws {
        try withBundle { box in
            box.config["linux.rootfsPropagation"] = value
            let found = try options(box, "/").fields
            let words = Set(found.isEmpty ? [""] : found.map { String($0.split(separator: ":")[0]) })
            #expect(words.contains { fields.contains($0) }, "\(found)")
        }
    }

    // MARK: Sources and destinations

    @Test func filesAndRelativeNames() throws {
        try withBundle { box in
            try box.fixture.file("bundle/files/one", "one\n")
            box.config.mount("/etc/one", "files/one", type: "bind", ["bind", "ro"])
            box.config.mount("etc/two", "files/one", ["bind"])
            box.config.mount("/made/on/the/way", "files", type: "bind", ["rbind"])
            #expect(try box.prints("cat /etc/one /etc/two /made/on/the/way/one") == "one\none\none")
            #expect(try box.prints("echo x > /etc/one || echo no") == "no")
        }
    }

    /// type "bind" is not told by the option alone.
    @Test func typesOfBinds() throws {
        try withBundle { box in
            try box.fixture.file("bundle/files/one", "one\n")
            box.config.mount("/data", box.bundle + "/files", type: "none", ["bind"])
            #expect(try box.prints("cat /data/one") == "one")
        }
    }

    @Test func mountsAreInTheirOrder() throws {
        try withBundle { box in
            try box.fixture.file("bundle/files/one", "one\n")
            box.config.mount("/data", "tmpfs", type: "tmpfs", [])
            box.config.mount("/data/sub", "files", type: "bind", ["bind"])
            box.config.mount("/data/sub/one", "/dev/null", type: "bind", ["bind"])
            #expect(try box.prints("ls /data; wc -c < /data/sub/one") == "sub\n0")
        }
    }

    @Test func linksOfTheImageLeadNowhereElse() throws {
        try withBundle { box in
            let outside = try box.fixture.makeDirectory("outside")
            symlink(outside, box.rootfs + "/link")
            box.config.mount("/link/sub", "tmpfs", type: "tmpfs", [])
            #expect(try box.prints("echo ok") == "ok")
            #expect(try FileManager.default.contentsOfDirectory(atPath: outside).isEmpty)
            // A kernel's own file system is not put where a link leads.
            rmdir(box.rootfs + "/proc")
            symlink("/data", box.rootfs + "/proc")
            try box.refusesToCreate(says: ["/proc"])
        }
    }

    @Test func copyUp() throws {
        try withBundle { box in
            try box.fixture.file("bundle/rootfs/data/kept", "kept\n", mode: 0o640)
            chmod(box.rootfs + "/data", 0o751)
            box.config.mount("/data", "tmpfs", type: "tmpfs", ["tmpcopyup", "size=1m"])
            #expect(
                try box.prints(
                    "cat /data/kept; stat -c %a /data/kept /data; echo new > /data/kept; touch /data/more")
                    == "kept\n640\n751")
            #expect(box.fixture.contents(box.rootfs + "/data/kept") == "kept\n")
        }
    }

    // MARK: The root

    @Test func aReadOnlyRoot() throws {
        try withBundle { (box) throws in
            box.config["root.readonly"] = true
            box.config.mount("/data", "tmpfs", type: "tmpfs", [])
            #expect(
                try box.prints(
                    "touch /x 2>/dev/null || echo ro; touch /data/x && echo rw; touch /dev/x && echo dev")
                    == "ro\nrw\ndev")
        }
    }

    @Test func anAbsoluteRootAndNoPivot() throws {
        try withBundle { (box) throws in
            box.config["root.path"] = box.rootfs
            #expect(try box.prints("ls -d /data") == "/data")
            #expect(try box.prints("ls -d /data; pwd", flags: ["--no-pivot"]) == "/data\n/")
            #expect(try box.prints("cd ..; cd ..; ls -d data", flags: ["--no-pivot"]) == "data")
        }
    }

    @Test func maskedAndReadOnlyPaths() throws {
        try withBundle { box in
            try box.fixture.file("bundle/rootfs/etc/secret", "secret\n")
            try box.fixture.file("bundle/rootfs/secrets/one", "one\n")
            try box.fixture.file("bundle/rootfs/fixed/one", "one\n")
            try box.fixture.file("bundle/rootfs/etc/fixed", "one\n")
            box.config["linux.maskedPaths"] = [
                "/etc/secret", "/secrets", "/not/there", "/etc/secret/nothing",
            ]
            box.config["linux.readonlyPaths"] = ["/fixed", "/etc/fixed", "/neither"]
            #expect(
                try box.prints(
                    """
                    wc -c < /etc/secret; ls /secrets | wc -l; touch /secrets/x 2>/dev/null || echo masked
                    cat /fixed/one; (echo x > /fixed/one) 2>/dev/null || echo ro; touch /fixed/x 2>/dev/null || echo ro
                    (echo x > /etc/fixed) 2>/dev/null || echo ro; echo x > /etc/other && echo rw; ls -d /not /neither 2>/dev/null | wc -l
                    """) == "0\n0\nmasked\none\nro\nro\nro\nrw\n0")
            // Not only for root without rights: also for one with all of them there is nothing behind the mask.
            box.config["linux.maskedPaths"] = ["relative"]
            try box.refusesToCreate(says: ["maskedPaths"])
        }
    }

    // MARK: The host's side

    @Test func nothingIsMountedOnTheHost() throws {
        try withBundle { box in
            let before = box.fixture.contents("/proc/self/mountinfo").split(separator: "\n").count
            box.config["linux.rootfsPropagation"] = "rshared"
            box.config.mount("/data", "tmpfs", type: "tmpfs", ["rshared"])
            try box.runSleeping()
            #expect(Leftovers.mounts(below: box.fixture.directory).isEmpty)
            let after = box.fixture.contents("/proc/self/mountinfo").split(separator: "\n").count
            #expect(abs(after - before) < 20)
        }
    }

    @Test func cgroupMounts() throws {
        try withBundle { box in
            box.config.namespace("cgroup")
            box.config["linux.resources"] = ["pids": ["limit": 30]]
            box.config.mount("/sys", "sysfs", type: "sysfs", ["nosuid", "noexec", "nodev", "ro"])
            box.config.mount("/sys/fs/cgroup", "cgroup", type: "cgroup", ["ro", "nosuid", "noexec", "nodev"])
            let text = try box.prints(
                "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max; mkdir /sys/fs/cgroup/x 2>/dev/null || echo ro"
            )
            #expect(text == "30\nro", "\(text)")
            // Without a cgroup namespace too.
            box.config.removeNamespace("cgroup")
            let other = try box.prints(
                "cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max || true; mkdir /sys/fs/cgroup/x 2>/dev/null || echo ro"
            )
            #expect(other.hasSuffix("ro"), "\(other)")
        }
    }
}
