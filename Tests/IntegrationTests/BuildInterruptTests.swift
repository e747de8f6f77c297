import Foundation
import Testing

@Suite("build: ended from outside", .needs())
struct BuildInterruptTests {
    /// Two steps that end, and one that waits for a file of its cache mount.
    private static let dockerfile = """
        FROM busybox:test
        RUN echo one > /one
        COPY file /file
        RUN --mount=type=cache,target=/c trap '' INT TERM HUP; echo waits; until [ -e /c/go ]; do sleep 0.1; done
        RUN cat /one /file > /both
        """

    private func go(_ ctr: Fixture) throws {
        let mounts = ctr.root + "/build/mounts"
        for name in try FileManager.default.contentsOfDirectory(atPath: mounts) {
            _ = FileManager.default.createFile(atPath: "\(mounts)/\(name)/data/go", contents: nil)
        }
    }

    /// A build whose last step waits, and the names of its cgroups.
    private func started(_ ctr: Fixture, _ context: String) throws -> (ChildProcess, Set<String>) {
        let child = try ctr.start("build", "--progress", "plain", "-t", "x:1", context)
        child.pump(until: Date() + 30) { child.stderr.contains(" waits\n") }
        try #require(child.stderr.contains(" waits\n"), "\(child.stderr)")
        var names: Set<String> = []
        for monitor in Self.children(of: child.pid) {
            for process in Self.children(of: monitor) {
                for match in ctr.contents("/proc/\(process)/cgroup").matches(of: /[0-9a-f]{64}/) {
                    names.insert(String(match.0))
                }
            }
        }
        #expect(names.count == 1)
        return (child, names)
    }

    /// Nothing of the step lives, and nothing of the build is mounted or kept, at once or very soon.
    private func nothingIsLeft(_ ctr: Fixture, _ steps: Set<String>, within seconds: Double) throws {
        try ctr.eventually("no process of the build is left", within: seconds) {
            Leftovers.processes(of: ctr.directory).isEmpty
        }
        #expect(Leftovers.mounts(below: ctr.directory) == [])
        try ctr.eventually("no cgroup of the build is left", within: seconds) {
            Leftovers.cgroups(of: steps).isEmpty
        }
    }

    @Test(arguments: [SIGINT, SIGTERM])
    func signals(_ signal: Int32) throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(Self.dockerfile, ["file": "f"])
            let (child, steps) = try started(ctr, context)
            let begin = Date()
            child.signal(signal)
            let outcome = child.finish(timeout: 30)
            #expect(Date().timeIntervalSince(begin) < 2)
            #expect(outcome.code == 130, "\(outcome.whole)")
            #expect(try outcome.step("trap").end == "CANCELED")
            try nothingIsLeft(ctr, steps, within: 1)
            let work = try FileManager.default.contentsOfDirectory(atPath: ctr.root + "/build/scratch")
            #expect(work == [])
            try go(ctr)
            let again = try ctr.built("-t", "x:1", context)
            #expect(again.cached == ["RUN echo one > /one", "COPY file /file"])
            #expect(try ctr.run("x:1", "cat /both") == "one\nf")
        }
    }

    @Test func beforeAnythingRuns() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(Self.dockerfile, ["file": "f"])
            for milliseconds in stride(from: 0, through: 200, by: 20) {
                let child = try ctr.start("build", "--progress", "plain", context)
                usleep(UInt32(milliseconds) * 1000)
                child.signal(SIGINT)
                let outcome = child.finish(timeout: 30)
                #expect(outcome.code == 130, "\(outcome.whole)")
            }
            try nothingIsLeft(ctr, [], within: 2)
        }
    }

    /// The builder gone, its step goes too; the next build sweeps, does the rest and makes the same image.
    @Test func killed() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(Self.dockerfile, ["file": "f"])
            let (child, steps) = try started(ctr, context)
            child.signal(SIGKILL)
            _ = child.finish(timeout: 30)
            try nothingIsLeft(ctr, steps, within: 5)
            try go(ctr)
            let again = try ctr.identityOfBuild(["-t", "x:1", context])
            #expect(try ctr.run("x:1", "cat /both") == "one\nf")
            #expect(try ctr.identityOfBuild(["--no-cache", context]) == again)
            #expect(try FileManager.default.contentsOfDirectory(atPath: ctr.root + "/build/scratch") == [])
        }
    }

    /// A build without waiting, for killing at any moment.
    private static let quick = """
        FROM busybox:test AS one
        RUN echo one > /one; rm /etc/group
        COPY dir /dir
        FROM busybox:test
        COPY file /file
        RUN cat /file > /copy; mkdir /new
        COPY --from=one /one /one
        WORKDIR /work
        """

    private func quick(_ ctr: Fixture) throws -> String {
        try ctr.busybox()
        var files = ["file": "f"]
        for number in 0..<200 { files["dir/\(number)"] = "\(number)" }
        return try ctr.context(Self.quick, files)
    }

    @Test func killedAtManyMoments() throws {
        try withFixture { ctr in
            let context = try quick(ctr)
            var outcomes: Set<Int32> = []
            for milliseconds in stride(from: 5, through: 700, by: 35) {
                let child = try ctr.start("build", "--progress", "plain", "-t", "x:1", context)
                usleep(UInt32(milliseconds) * 1000)
                child.signal(SIGKILL)
                outcomes.insert(child.finish(timeout: 30).code)
                // Half of the rounds begin with nothing in the cache.
                if milliseconds % 2 == 0 {
                    try? FileManager.default.removeItem(atPath: ctr.root + "/build/cache")
                }
            }
            #expect(outcomes.contains(137))
            let warm = try ctr.identityOfBuild(["-t", "x:1", context])
            #expect(try ctr.identityOfBuild(["--no-cache", context]) == warm)
            #expect(try ctr.run("x:1", "cat /one /file /copy; ls /dir | wc -l; pwd").hasPrefix("one\nff"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: ctr.root + "/build/scratch") == [])
            try wholeAfter(ctr)
        }
    }

    @Test(
        .enabled(if: Program.isDebugBuilt, "not run: no debug build of ctr's programs in .build/debug"),
        arguments: [
            "build.pin:kill", "build.pin:kill@3", "build.cache:kill", "build.cache:kill@4",
            "build.synced:kill",
            "build.layer:kill", "build.layer:kill@3", "build.published:kill", "atomic.rename:kill",
            "store.rename:kill", "store.record:kill",
        ])
    func killedAtAPoint(_ point: String) throws {
        try withFixture { ctr in
            let context = try quick(ctr)
            let words = [
                "\(Program.debugDirectory)/ctr", "--root", ctr.root, "--run-root", ctr.runRoot, "build", "-t",
                "x:1",
                context,
            ]
            let outcome = try ChildProcess(
                words, environment: ctr.environment.merging(["CTR_FAILPOINT": point]) { $1 }
            ).finish(timeout: 60)
            #expect(outcome.code == 137, "did not come to \(point): \(outcome.whole)")
            let after = try ctr.identityOfBuild(["-t", "x:1", context])
            #expect(try ctr.identityOfBuild(["--no-cache", context]) == after)
            #expect(try ctr.run("x:1", "cat /one /file /copy; pwd") == "one\nff/work")
            try wholeAfter(ctr)
        }
    }

    /// Nothing unfinished stays in the store.
    private func wholeAfter(_ ctr: Fixture) throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: ctr.root + "/layers")
        #expect(names.filter { $0.hasPrefix("new-") } == [])
        try ctr.ok("image", "prune", "-f")
        for lease in try FileManager.default.contentsOfDirectory(atPath: ctr.root + "/leases") {
            Issue.record("a lease is left: \(lease)")
        }
    }

    /// The monitor of a step killed: one clear line, and no process.
    @Test func theMonitorOfAStep() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(Self.dockerfile, ["file": "f"])
            let (child, steps) = try started(ctr, context)
            let monitors = Self.children(of: child.pid).filter {
                ctr.contents("/proc/\($0)/comm").hasPrefix("ctr-monitor")
                    // That of the step before has ended, or is about to.
                    && !ctr.contents("/proc/\($0)/status").contains("State:\tZ")
            }
            #expect(monitors.count == 1)
            for monitor in monitors { kill(monitor, SIGKILL) }
            let outcome = child.finish(timeout: 30)
            ctr.expectRefusal(outcome, code: 1, says: ["Dockerfile:4", "monitor"])
            try nothingIsLeft(ctr, steps, within: 2)
            try go(ctr)
            #expect(try ctr.built(context).cached.count == 2)
        }
    }

    static func children(of parent: pid_t) -> [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { name in
            guard let pid = pid_t(name),
                let status = FileManager.default.contents(atPath: "/proc/\(pid)/stat")
            else { return nil }
            let text = String(decoding: status, as: UTF8.self)
            let fields = text[(text.lastIndex(of: ")") ?? text.startIndex)...].split(separator: " ")
            return fields.count > 2 && pid_t(fields[2]) == parent ? pid : nil
        }
    }
}
