import Foundation
import Testing

/// Attacks that swap a directory for a link while ctr looks. The swapper is the probe (Tests/Probe): it exchanges the two
/// names in one call, hundreds of thousands of times a second. Beside each store is `host`, which stands for the host.
@Suite("attacks: races", .needs(), .needsProbe)
struct RaceTests {
    private static let secret = "host-secret-\(UInt64.random(in: 0...UInt64.max))"

    /// `probe:1`, and a directory of the host with a canary in it.
    private func withHost(_ body: (Fixture, _ host: String) throws -> Void) throws {
        try withFixture { ctr in
            try ctr.ok("import", try ctr.file("probe.tar", Probe.image.finished), "probe:1")
            let host = try ctr.makeDirectory("host")
            try ctr.file("host/payload", Self.secret)
            _ = try ctr.makeDirectory("host/inside")
            try body(ctr, host)
            let tree = try FileTree.describe(host)
            #expect(Set(tree.keys) == ["/payload", "/inside"], "\(tree)")
            #expect(ctr.contents(host + "/payload") == Self.secret)
        }
    }

    /// A container that swaps a directory with a link to the host, in a volume, a hundred thousand times each round.
    private func startSwapper(_ ctr: Fixture, _ host: String, _ directory: String = "d") throws {
        try ctr.ok(
            "run", "-d", "--name", "swapper", "-v", "shared:/vol", "probe:1", "sh", "-c",
            """
            mkdir -p /vol/\(directory)/inside; ln -s \(host) /vol/link
            while /probe swap /vol/\(directory) /vol/link 100000; do :; done
            """)
        try ctr.eventually("it swaps") { try swaps(ctr) > 0 }
    }

    private func swaps(_ ctr: Fixture) throws -> Int {
        try ctr.ok("logs", "swapper").split(separator: "\n").compactMap { Int($0) }.reduce(0, +)
    }

    @Test func cve2021_30465_cve2023_27561_cve2024_45310_aVolumeWhoseTargetIsSwapped() throws {
        try withHost { ctr, host in
            try startSwapper(ctr, host)
            let own = try ctr.makeDirectory("own")
            let before = try swaps(ctr)
            var started = 0
            for round in 0..<60 {
                // What is missing on the way to a target is made: inside, or nowhere.
                let flags = [
                    ["-v", "\(own):/vol/d/inside/made\(round)"], ["-v", "data:/vol/d/\(round)/b"],
                    ["--tmpfs", "/vol/d/inside"],
                    ["--mount", "type=bind,source=\(own),target=/vol/d/file\(round)/x/y"],
                    ["--device", "/dev/full:/vol/d/device\(round)"], ["-w", "/vol/d/work\(round)"],
                ][round % 6]
                let outcome = try ctr.ctr(
                    ["run", "--rm", "-v", "shared:/vol"] + flags + ["probe:1", "true"], timeout: 30)
                if outcome.code == 0 { started += 1 }
                #expect([0, 125].contains(outcome.code), "\(outcome)")
            }
            #expect(started > 0)
            try ctr.eventually("a hundred thousand swaps meanwhile") { try swaps(ctr) >= before + 100_000 }
        }
    }

    /// Masks, read-only paths, devices, consoles and the kernel's file systems of a bundle, all below what is swapped.
    @Test func cve2025_31133_cve2025_52565_cve2025_52881_cve2026_47766_everyTargetIsSwapped() throws {
        try withBundle { box in
            let host = try box.fixture.makeDirectory("host")
            for name in ["pts", "proc", "sys", "mask", "work"] {
                _ = try box.fixture.makeDirectory("host/\(name)")
            }
            try box.fixture.file("host/null", Self.secret)
            try box.fixture.file("host/read-only", Self.secret)
            let before = try FileTree.describe(host)
            let kernel = ["core_pattern", "hostname", "panic"].map {
                box.fixture.contents("/proc/sys/kernel/\($0)")
            }

            let shared = try box.fixture.makeDirectory("shared")
            for name in ["pts", "proc", "sys", "mask", "work"] {
                _ = try box.fixture.makeDirectory("shared/d/\(name)")
            }
            try box.fixture.file("shared/d/null", "")
            try box.fixture.file("shared/d/read-only", "")
            symlink(host, shared + "/link")
            symlink("/vol/d/console", box.rootfs + "/console")
            box.config.mount("/vol", shared, ["rbind", "rw"])
            box.config.mount("/vol/d/pts", "devpts", type: "devpts", ["newinstance"])
            box.config.mount("/vol/d/proc", "proc", type: "proc")
            box.config.mount("/vol/d/sys", "sysfs", type: "sysfs", ["ro"])
            box.config.mount("/vol/d/new/deep", "tmpfs", type: "tmpfs")
            box.config["linux.maskedPaths"] = ["/vol/d/mask", "/vol/d/null", "/proc/kcore"]
            box.config["linux.readonlyPaths"] = ["/vol/d/read-only", "/proc/sys", "/proc/sysrq-trigger"]
            box.config["linux.devices"] = [
                ["path": "/vol/d/device", "type": "c", "major": 1, "minor": 3, "fileMode": 0o666]
                    as [String: Any]
            ]
            box.config["linux.sysctl"] = ["kernel.domainname": "swapped"]
            box.config["process.cwd"] = "/vol/d/work"

            let swapper = try ChildProcess(
                [
                    "/bin/sh", "-c",
                    "while \(Probe.path ?? "") swap \(shared)/d \(shared)/link 100000; do :; done",
                ], environment: box.fixture.environment)
            defer {
                swapper.signal(SIGKILL)
                _ = swapper.finish(timeout: 5)
            }
            try swapper.waitFor("100000")
            var started = 0
            for _ in 0..<60 {
                let outcome = try box.run(
                    """
                    head -c 1 /proc/kcore | wc -c
                    (: >> /proc/sysrq-trigger) 2>/dev/null && echo opened; (: >> /proc/sys/kernel/core_pattern) 2>/dev/null && echo opened
                    cat \(host)/null /vol/link/null /vol/d/null 2>/dev/null; pwd >/dev/null
                    """)
                #expect(
                    !outcome.stdout.contains("opened") && !outcome.stdout.contains(Self.secret), "\(outcome)")
                if outcome.code == 0 {
                    started += 1
                    #expect(outcome.lines.first == "0", "\(outcome)")
                }
            }
            #expect(started > 0)
            #expect(try FileTree.describe(host) == before)
            #expect(
                ["core_pattern", "hostname", "panic"].map { box.fixture.contents("/proc/sys/kernel/\($0)") }
                    == kernel)
        }
    }

    /// A thousand copies out and a thousand in, while a directory on their way is swapped with a link to the host.
    @Test func cve2018_15664_cve2019_10152_copiesDuringASwap() throws {
        try withHost { ctr, host in
            try ctr.ok(
                "run", "-d", "--name", "box", "probe:1", "sh", "-c",
                """
                mkdir -p /d/inside; echo inside > /d/payload; ln -s \(host) /link
                while /probe swap /d /link 100000; do :; done
                """)
            let file = try ctr.file("payload", "from outside")
            try ctr.eventually("it swaps") { try ctr.ok("logs", "box").contains("100000") }
            try copy(
                ctr, 1000, out: "box:/d/payload", in: (file, "box:/d/payload"), directory: "box:/d/inside")
        }
    }

    /// The place of a volume is swapped, in another volume: of a container that runs, and of one that is stopped.
    @Test func cve2026_42306_aVolumesTargetIsSwappedDuringCopies() throws {
        try withHost { ctr, host in
            try startSwapper(ctr, host)
            let own = try ctr.makeDirectory("own")
            try ctr.file("own/payload", "inside")
            let file = try ctr.file("payload", "from outside")
            for (name, command) in [("runs", ["sleep", "1000"]), ("stopped", ["true"])] {
                var started = false
                for _ in 0..<50 where !started {
                    try ctr.ctr("rm", "-f", name)
                    started =
                        try ctr.ctr(
                            [
                                "run", "-d", "--name", name, "-v", "shared:/vol", "-v",
                                "\(own):/vol/d/inside",
                                "probe:1",
                            ] + command
                        ).code == 0
                }
                try #require(started)
                try copy(
                    ctr, 100, out: "\(name):/vol/d/inside/payload", in: (file, "\(name):/vol/d/payload"),
                    directory: "\(name):/vol/d/inside")
            }
        }
    }

    /// Copies out, in, and whole directories, in a loop of the shell: a process each and nothing between. None may
    /// bring the host's file; none may hang. That one is refused, or finds a link, is well.
    private func copy(
        _ ctr: Fixture, _ count: Int, out: String, in inward: (from: String, to: String), directory: String
    ) throws {
        let base = try ctr.makeDirectory("copies-\(UInt32.random(in: 0...UInt32.max))")
        let call = ctr.words([]).joined(separator: " ") + " cp"
        let script = """
            i=0; good=0
            while [ $i -lt \(count) ]; do
              \(call) \(out) \(base)/$i 2>/dev/null && good=$((good + 1))
              \(call) \(inward.from) \(inward.to) 2>/dev/null && good=$((good + 1))
              if [ $((i % 10)) = 0 ]; then \(call) \(directory) \(base)/tree$i 2>/dev/null; fi
              i=$((i + 1))
            done
            echo good $good
            """
        let outcome = try ChildProcess(["/bin/sh", "-c", script], environment: ctr.environment).finish(
            timeout: 400)
        #expect(outcome.code == 0 && !outcome.timedOut, "\(outcome)")
        // Some have found the directory in its place: it was a race.
        #expect(Int(outcome.text.replacingOccurrences(of: "good ", with: "")) ?? 0 > count / 10, "\(outcome)")
        #expect(try ctr.filesHolding(Self.secret, below: base) == [])
    }
}
