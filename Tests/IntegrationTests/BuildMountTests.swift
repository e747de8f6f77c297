import Foundation
import Testing

@Suite("build: mounts of RUN", .needs())
struct BuildMountTests {
    @Test func aCacheMountPersists() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test
                ARG ROUND
                RUN --mount=type=cache,target=/c,mode=0750,uid=1000,gid=2000 \\
                    echo $ROUND >> /c/rounds; cat /c/rounds; stat -c '%a %u:%g' /c
                RUN ls -d /c/rounds 2>/dev/null || echo not in the image
                """)
            let first = try ctr.built("--build-arg", "ROUND=1", "-t", "x:1", context)
            #expect(try first.step("rounds; cat").lines == ["1", "750 1000:2000"])
            let second = try ctr.built("--build-arg", "ROUND=2", "-t", "x:1", context)
            #expect(try second.step("rounds; cat").lines == ["1", "2", "750 1000:2000"])
            #expect(try second.step("ls -d").lines == ["not in the image"])
            #expect(try ctr.run("x:1", "ls / | grep -c '^c$' || true") == "0")
        }
    }

    /// Two builds with the same id: `locked` one after the other, `private` each its own, `shared` both at once.
    @Test(arguments: ["locked", "private", "shared"])
    func sharing(_ sharing: String) throws {
        try withFixture { ctr in
            try ctr.busybox()
            let meet =
                "i=0; until [ $(ls /c | wc -l) -ge 2 ] || [ $i -ge 30 ]; do sleep 0.1; i=$((i+1)); done"
            func context(_ name: String) throws -> String {
                try ctr.context(
                    name,
                    """
                    FROM busybox:test
                    RUN --mount=type=cache,id=both,target=/c,sharing=\(sharing) \\
                        touch /c/\(name); \(meet); ls /c; rm /c/\(name)
                    """)
            }
            let one = try ctr.start("build", "--progress", "plain", try context("one"))
            let two = try ctr.start("build", "--progress", "plain", try context("two"))
            let outcomes = [one.finish(timeout: 60), two.finish(timeout: 60)]
            for outcome in outcomes { #expect(outcome.code == 0 && !outcome.timedOut, "\(outcome.whole)") }
            let seen = try outcomes.map { try $0.step("touch").lines }
            if sharing == "shared" {
                #expect(seen.contains(["one", "two"]), "\(seen)")
            } else {
                #expect(seen == [["one"], ["two"]])
            }
        }
    }

    @Test func twoBuildsOfTheSameAtOnce() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test
                COPY file /file
                RUN sleep 0.5; cat /file > /out
                RUN sleep 0.2; cat /out > /out2
                """, ["file": "f"])
            let children = try (0..<4).map { number in
                try ctr.start("build", "--progress", "plain", "-t", "x:\(number)", "-q", context)
            }
            let outcomes = children.map { $0.finish(timeout: 90) }
            for outcome in outcomes { #expect(outcome.code == 0, "\(outcome.whole)") }
            #expect(Set(outcomes.map(\.text)).count == 1)
            #expect(try ctr.run("x:3", "cat /out2") == "f")
        }
    }

    @Test func bindMounts() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test AS other
                RUN mkdir /o; echo other > /o/file
                FROM busybox:test
                WORKDIR /w
                RUN --mount=target=/m --mount=source=dir/file,target=single --mount=from=other,source=/o,target=/o,rw \\
                    --mount=from=busybox:test,source=/etc,target=/e \\
                    cat /m/dir/file single /o/file; head -n 1 /e/passwd; \\
                    touch /m/x 2>/dev/null || echo read-only; echo written > /o/written; cat /o/written
                RUN --mount=from=other,source=/o,target=/o ls /o; ls /w /m | wc -l
                """, ["dir/file": "from the context\n"])
            let outcome = try ctr.built("-t", "x:1", context)
            #expect(
                try outcome.step("/m/dir/file").lines == [
                    "from the context", "from the context", "other", "root:x:0:0:root:/root:/bin/sh",
                    "read-only",
                    "written",
                ])
            #expect(try outcome.step("ls /o; ls").lines.first == "file")
            #expect(!FileManager.default.fileExists(atPath: context + "/x"))
            // The places of mounts are no part of the image.
            #expect(try ctr.run("x:1", "ls -d /m /o /e /w/single 2>/dev/null || true") == "")
            // What a mount shows is an input of its step.
            #expect(try ctr.built(context).done == [])
            try ctr.file("context/dir/file", "changed\n")
            #expect(try ctr.built(context).done.count == 1)
        }
    }

    @Test func memoryMounts() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test
                RUN --mount=type=tmpfs,target=/t,size=1m grep ' /t ' /proc/mounts; echo x > /t/x; \\
                    dd if=/dev/zero of=/t/big bs=1M count=2 2>/dev/null || echo full
                """)
            let lines = try ctr.built("-t", "x:1", context).step("tmpfs").lines
            #expect(lines.first?.contains("size=1024k") == true && lines.last == "full", "\(lines)")
            #expect(try ctr.run("x:1", "ls -d /t 2>/dev/null || true") == "")
        }
    }

    /// What the network is by default and by flags.
    @Test func networks() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test
                RUN --network=none readlink /proc/self/ns/net; ls /sys/class/net
                RUN --network=host readlink /proc/self/ns/net
                RUN readlink /proc/self/ns/net; grep -c 'example' /etc/hosts || true
                """)
            let outcome = try ctr.built("--add-host", "example:10.9.8.7", context)
            let host = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
            let none = try outcome.step("--network=none").lines
            #expect(none.first != host && none.contains("lo"))
            #expect(try outcome.step("--network=host").lines == [host])
            let own = try outcome.step("grep -c").lines
            #expect(own.first?.hasPrefix("net:") == true && own.first != host && own.last == "1", "\(own)")
            let closed = try ctr.built("--no-cache", "--network", "none", context)
            #expect(try closed.step("grep -c").lines.first != host)
        }
    }
}
