import Foundation
import Testing

@Suite("build: the cache", .needs())
struct BuildCacheTests {
    private static let dockerfile = """
        FROM busybox:test
        ARG UNUSED=1
        ARG USED=1
        RUN echo first > /first
        COPY one /one
        COPY two /two
        RUN cat /one/* /two/* > /all 2> /dev/null; true
        """

    private func context(_ ctr: Fixture) throws -> String {
        try ctr.busybox()
        return try ctr.context(
            Self.dockerfile,
            [
                "one/a": "a", "one/b": "b", "two/c": "c", "ignored": "x",
                ".dockerignore": "ignored\n*/ignored\n",
            ])
    }

    private static let steps = [
        "RUN echo first > /first", "COPY one /one", "COPY two /two",
        "RUN cat /one/* /two/* > /all 2> /dev/null; true",
    ]

    /// Builds, and tells how many steps from above came out of the cache; those below must not.
    private func cached(_ ctr: Fixture, _ arguments: String...) throws -> Int {
        let outcome = try ctr.ctr(["build", "--progress", "plain"] + arguments, timeout: 120)
        try #require(outcome.code == 0, "\(outcome.whole)")
        let cached = outcome.cached
        #expect(cached + outcome.done == Self.steps, "\(outcome.whole)")
        return cached.count
    }

    @Test func whatChangesInvalidatesItselfAndWhatIsBelow() throws {
        try withFixture { ctr in
            let context = try context(ctr)
            #expect(try cached(ctr, context) == 0)
            #expect(try cached(ctr, context) == 4)
            try ctr.file("context/two/c", "C")
            #expect(try cached(ctr, context) == 2)
            // The content of before is known still.
            try ctr.file("context/two/c", "c")
            #expect(try cached(ctr, context) == 4)
            chmod(context + "/one/a", 0o755)
            #expect(try cached(ctr, context) == 1)
            try FileTree.setAttribute("user.test", "x", of: context + "/one/b")
            #expect(try cached(ctr, context) == 1)
            try FileTree.setAttribute("user.test", "y", of: context + "/one/b")
            #expect(try cached(ctr, context) == 1)
            try ctr.file("context/two/new", "n")
            #expect(try cached(ctr, context) == 2)
            _ = try ctr.makeDirectory("context/two/empty")
            #expect(try cached(ctr, context) == 2)
            symlink("nowhere", context + "/two/link")
            #expect(try cached(ctr, context) == 2)
            unlink(context + "/two/link")
            symlink("elsewhere", context + "/two/link")
            #expect(try cached(ctr, context) == 2)
            rename(context + "/two/new", context + "/two/newer")
            #expect(try cached(ctr, context) == 2)
            #expect(try cached(ctr, context) == 4)
        }
    }

    @Test func whatChangesNothing() throws {
        try withFixture { ctr in
            let context = try context(ctr)
            #expect(try cached(ctr, context) == 0)
            var times = [timeval(tv_sec: 1_000_000, tv_usec: 0), timeval(tv_sec: 1_000_000, tv_usec: 0)]
            for file in ["one/a", "one", "two/c", "Dockerfile"] { utimes("\(context)/\(file)", &times) }
            #expect(try cached(ctr, context) == 4)
            try ctr.file("context/ignored", "other")
            try ctr.file("context/one/ignored", "other")
            #expect(try cached(ctr, context) == 4)
            // Written anew with the same content, and belonging to somebody else.
            try ctr.file("context/one/a", "a")
            chown(context + "/one/b", 1234, 1234)
            #expect(try cached(ctr, context) == 4)
            try ctr.file("context/Dockerfile", "# a comment\n" + Self.dockerfile + "\nLABEL x=y\n")
            #expect(try cached(ctr, context) == 4)
            #expect(try cached(ctr, "-t", "other:name", "--label", "a=b", context) == 4)
            // Another context with the same files.
            try ctr.tool(.tar, "-cf", ctr.path("c.tar"), "-C", context, ".")
            let copy = try ctr.makeDirectory("copy")
            try ctr.tool(.tar, "-xf", ctr.path("c.tar"), "-C", copy)
            #expect(try cached(ctr, copy) == 4)
        }
    }

    /// BuildKit's: every ARG that RUN can see is part of it, COPY sees what it names.
    @Test func arguments() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test AS first
                COPY file /before
                RUN echo before > /x
                ARG NAME=a
                COPY file /after
                COPY file /$NAME
                RUN echo $NAME > /y
                FROM busybox:test AS other
                ARG ELSEWHERE
                RUN true
                FROM first
                """, ["file": "f"])
            func done(_ arguments: String...) throws -> [String] {
                let outcome = try ctr.ctr(["build", "--progress", "plain"] + arguments + [context])
                try #require(outcome.code == 0, "\(outcome.whole)")
                return outcome.done
            }
            #expect(try done().count == 5)
            #expect(try done() == [])
            #expect(try done("--build-arg", "NAME=a") == [])
            #expect(try done("--build-arg", "ELSEWHERE=1") == [])
            #expect(try done("--build-arg", "NOSUCH=1") == [])
            #expect(try done("--build-arg", "NAME=b") == ["COPY file /$NAME", "RUN echo $NAME > /y"])
        }
    }

    @Test func withoutCache() throws {
        try withFixture { ctr in
            let context = try context(ctr)
            #expect(try cached(ctr, context) == 0)
            #expect(try cached(ctr, "--no-cache", context) == 0)
            #expect(try cached(ctr, context) == 4)
            let stages = try ctr.context(
                "stages",
                """
                FROM busybox:test AS one
                RUN echo one > /one
                FROM busybox:test AS two
                RUN echo two > /two
                FROM busybox:test
                COPY --from=one /one /
                COPY --from=two /two /
                """)
            try ctr.built(stages)
            let outcome = try ctr.built("--no-cache-filter", "two", stages)
            #expect(outcome.done == ["RUN echo two > /two"])
            // It made the same, so that what stands on it is cached.
            #expect(outcome.cached.count == 3)
        }
    }

    @Test func explanations() throws {
        try withFixture { ctr in
            let context = try context(ctr)
            let first = try ctr.built("--explain", context)
            #expect(try first.step("COPY one").lines.contains { $0.contains("not built before") })
            let second = try ctr.built("--explain", context)
            #expect(try second.step("COPY one").lines.contains { $0.contains("cache hit") })
            try ctr.file("context/one/a", "changed")
            try ctr.file("context/one/new", "new")
            unlink(context + "/one/b")
            let third = try ctr.built("--explain", context)
            let lines = try third.step("COPY one").lines.map { $0.trimmingCharacters(in: .whitespaces) }
            for wanted in ["a changed", "new is new", "b is gone"] {
                #expect(lines.contains { $0.hasSuffix(wanted) }, "\(wanted) in \(lines)")
            }
            #expect(!lines.contains { $0.contains("two") })
            #expect(try third.step("COPY two").lines.contains { $0.contains("parent changed") })
            let fourth = try ctr.built("--explain", "--build-arg", "USED=2", context)
            #expect(try fourth.step("RUN echo first").lines.contains { $0.contains("arg USED changed") })
            let none = try ctr.built("--explain", "--no-cache", context)
            #expect(try none.step("RUN echo first").lines.contains { $0.contains("--no-cache") })
        }
    }

    @Test func anImageRemovedIsStillCached() throws {
        try withFixture { ctr in
            let context = try context(ctr)
            #expect(try cached(ctr, "-t", "x:1", context) == 0)
            try ctr.ok("rmi", "x:1")
            try ctr.ok("image", "prune", "-f")
            #expect(try cached(ctr, "-t", "x:1", context) == 4)
            #expect(try ctr.run("x:1", "cat /all") == "abc")
        }
    }

    /// A layer that somebody took away is made again, and nothing fails for it.
    @Test func aLayerThatIsGone() throws {
        try withFixture { ctr in
            let context = try context(ctr)
            #expect(try cached(ctr, "-t", "x:1", context) == 0)
            let layers = try ctr.ok("inspect", "--format", "{{json .RootFS.Layers}}", "x:1")
            let all = try JSONSerialization.jsonObject(with: Data(layers.utf8)) as? [String] ?? []
            #expect(all.count == 5)
            let third = String((all.dropFirst(3).first ?? "").dropFirst("sha256:".count))
            for name in try FileManager.default.contentsOfDirectory(atPath: ctr.root + "/layers")
            where name.contains(third) {
                try FileManager.default.removeItem(atPath: "\(ctr.root)/layers/\(name)")
            }
            let outcome = try ctr.built("-t", "x:1", context)
            #expect(outcome.done == ["COPY two /two"], "\(outcome.whole)")
            #expect(try ctr.run("x:1", "cat /all") == "abc")
        }
    }

    /// A record that is torn, empty or another's is no record.
    @Test func recordsThatAreDamaged() throws {
        try withFixture { ctr in
            let context = try context(ctr)
            let first = try ctr.identityOfBuild([context])
            let records = try FileManager.default.contentsOfDirectory(atPath: ctr.root + "/build/cache")
            #expect(records.count == 4)
            for (index, name) in records.sorted().enumerated() {
                let path = "\(ctr.root)/build/cache/\(name)"
                let text = ctr.contents(path)
                let damaged = [
                    "", String(text.prefix(text.count / 2)), "rubbish\n" + text,
                    text.replacingOccurrences(of: "layer sha256:", with: "layer ../../"),
                ][index]
                try Data(damaged.utf8).write(to: URL(fileURLWithPath: path))
            }
            #expect(try cached(ctr, context) == 0)
            #expect(try ctr.identityOfBuild([context]) == first)
        }
    }
}
