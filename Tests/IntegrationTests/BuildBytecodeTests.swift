import Foundation
import Testing

/// CPython takes a `.pyc` for valid when the time and the size in its header are its source's: normalized times must not
/// make a fresh one stale, nor a stale one valid.
@Suite("build: Python's compiled files", .needs())
struct BuildBytecodeTests {
    /// What writes `x.pyc` for `x.py` as py_compile does (PEP 552: magic, flags 0, time, size, code), in shell.
    private static let compile = #"""
        le() { for s in 0 8 16 24; do printf "\\$(printf %o $(( ($1 >> s) & 255 )))"; done; }
        compile() {
            mkdir -p /m/__pycache__
            { printf '\247\r\r\n'; le 0; le $(stat -c %Y /m/x.py); le $(stat -c %s /m/x.py); printf 'code'; } \
                > /m/__pycache__/x.cpython-311.pyc
        }
        """#

    private static let script =
        compile + #"""

            word() { od -An -tu4 -j$1 -N4 /m/__pycache__/x.cpython-311.pyc | tr -d ' '; }
            valid() { [ $(word 8) = $(stat -c %Y /m/x.py) ] && [ $(word 12) = $(stat -c %s /m/x.py) ]; }
            """#

    @Test(arguments: ["", "1700000000"])
    func aFreshOneStaysFresh(_ epoch: String) throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test
                COPY python.sh /
                RUN mkdir /m; echo 'print(1)' > /m/x.py; . /python.sh; compile; valid
                """, ["python.sh": Self.script])
            let environment = epoch.isEmpty ? [:] : ["SOURCE_DATE_EPOCH": epoch]
            try ctr.built("-t", "x:1", context, environment: environment)
            #expect(
                try ctr.run("x:1", ". /python.sh; valid && echo valid; stat -c %Y /m/x.py; word 8")
                    == "valid\n\(epoch.isEmpty ? "0" : epoch)\n\(epoch.isEmpty ? "0" : epoch)")
            // By another time through the cache: the header goes with it.
            try ctr.built("-t", "x:2", context, environment: ["SOURCE_DATE_EPOCH": "1600000000"])
            #expect(try ctr.run("x:2", ". /python.sh; valid && echo valid; word 8") == "valid\n1600000000")
        }
    }

    /// The source comes by COPY, the compiled file by a later RUN.
    @Test func sourceOfAnEarlierLayer() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test
                COPY python.sh /
                COPY x.py /m/
                RUN . /python.sh; compile; valid
                """, ["python.sh": Self.script, "x.py": "print(1)\n"])
            try ctr.built("-t", "x:1", context)
            #expect(try ctr.run("x:1", ". /python.sh; valid && echo valid") == "valid")
        }
    }

    /// Two steps write the same size: the second content wins, and the first's compiled file is not taken for it.
    @Test func aStaleOneIsStale() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(
                """
                FROM busybox:test
                COPY python.sh /
                RUN mkdir /m; echo 'print(1)' > /m/x.py; . /python.sh; compile; valid
                RUN stat -c %Y /m/x.py; echo 'print(2)' > /m/x.py
                RUN . /python.sh; if valid; then exit 1; fi
                """, ["python.sh": Self.script])
            let outcome = try ctr.built("-t", "x:1", context)
            #expect(try ctr.run("x:1", "cat /m/x.py") == "print(2)")
            #expect(try ctr.run("x:1", ". /python.sh; valid || echo stale") == "stale")
            let first = Int(try outcome.step("print(2)").lines.first ?? "") ?? .max
            let second = Int(try ctr.run("x:1", "stat -c %Y /m/x.py")) ?? 0
            #expect(second > first)
            // The same through the cache of another time.
            try ctr.built("-t", "x:2", context, environment: ["SOURCE_DATE_EPOCH": "1600000000"])
            #expect(try ctr.run("x:2", ". /python.sh; valid || echo stale; cat /m/x.py") == "stale\nprint(2)")
            let cold = try ctr.identityOfBuild(
                ["--no-cache", context], environment: ["SOURCE_DATE_EPOCH": "1600000000"])
            #expect(try ctr.inspect("x:2", "{{.Id}}") == cold.id)
        }
    }

    /// The host's interpreter in an image: what it compiled in a step it takes in a container, from a directory where it
    /// could not write.
    @Test(.needs(.python3, .tar)) func byTheInterpreterItself() throws {
        try withFixture { ctr in
            try ctr.busybox()
            let context = try ctr.context(nil, ["x.py": "VALUE = 1\n"])
            guard try ctr.copyPython(into: context + "/python") else { return }
            try ctr.file(
                "context/Dockerfile",
                """
                FROM busybox:test
                COPY python/ /
                WORKDIR /m
                COPY x.py .
                RUN /usr/bin/python3 -c 'import x; print(x.VALUE)'
                """)
            let outcome = try ctr.built("-t", "x:1", context)
            #expect(try outcome.step("import x").lines == ["1"])
            let answer = try ctr.ok(
                "run", "--rm", "--read-only", "x:1", "/usr/bin/python3", "-v", "-c",
                "import x; print(x.VALUE)")
            #expect(answer == "1")
            let verbose = try ctr.ctr(
                "run", "--rm", "x:1", "/usr/bin/python3", "-v", "-c", "import x; print(x.VALUE)")
            #expect(verbose.stderr.contains("matches /m/x.py"), "\(verbose.stderr.suffix(2000))")
        }
    }
}
