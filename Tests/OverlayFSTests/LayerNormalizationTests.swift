import Failure
import Layers
import LinuxSystem
import Testing

@Suite(.enabled(if: isRoot, "overlay's attributes need root")) struct LayerNormalizationTests {
    private let epoch = Timestamp(seconds: 1_700_000_000)

    private func layer(_ scratch: Scratch, _ name: String, _ body: (inout Tar) throws -> Void) throws {
        try scratch.apply(try Tar.make(body), to: name)
    }

    private func normalize(
        _ scratch: Scratch, _ upper: String, over lowers: [String], time: Timestamp? = nil,
        former: Timestamp? = nil
    ) throws {
        let top = try Directory.open(upper, in: scratch.directory.raw)
        var opened: [SharedFileDescriptor] = []
        for lower in lowers {
            opened.append(SharedFileDescriptor(try Directory.open(lower, in: scratch.directory.raw)))
        }
        try LayerNormalization(
            upper: top.raw, lowers: opened.map(\.raw), time: time ?? epoch, former: former
        ).run()
    }

    private func seconds(_ scratch: Scratch, _ path: String) throws -> Int64 {
        try scratch.status(path).modified.seconds
    }

    @Test func allThatWasWrittenHasTheOneTime() throws {
        let scratch = try Scratch()
        try layer(scratch, "upper") { tar in
            try tar.directory("d/", time: 1_790_000_000)
            try tar.add("d/new", data: "n", time: 1_790_000_000)
            try tar.add("d/old", data: "o", time: 5)
            try tar.add("d/link", link("new"), time: 1_790_000_000)
        }
        try normalize(scratch, "upper", over: [])
        for path in ["upper/d", "upper/d/new", "upper/d/old", "upper/d/link"] {
            #expect(try seconds(scratch, path) == epoch.seconds, "\(path)")
        }
    }

    @Test func aFileThatWasNotWrittenKeepsItsTimeAndOneThatWasIsNewerThanWhatItReplaces() throws {
        let scratch = try Scratch()
        let later = epoch.seconds + 1000
        try layer(scratch, "lower") { tar in
            try tar.directory("d/", time: 77)
            try tar.add("d/owner", data: "same", time: 88)
            try tar.add("d/newer", data: "below", time: later)
            try tar.add("d/older", data: "below", time: 99)
        }
        try layer(scratch, "upper") { tar in
            try tar.directory("d/", time: 77)
            try tar.add("d/owner", uid: 7, data: "same", time: 88)
            try tar.add("d/newer", data: "above", time: 1_790_000_000)
            try tar.add("d/older", data: "above", time: 1_790_000_000)
        }
        try normalize(scratch, "upper", over: ["lower"])
        #expect(try seconds(scratch, "upper/d") == 77)
        #expect(try seconds(scratch, "upper/d/owner") == 88)
        #expect(try seconds(scratch, "upper/d/newer") == later + 1)
        #expect(try seconds(scratch, "upper/d/older") == epoch.seconds)
    }

    /// What is copied from a layer of another time is what would have been made with this one.
    @Test func aCopyOfAnotherTimeIsWhatAColdBuildGives() throws {
        let scratch = try Scratch()
        let former = Timestamp(seconds: 1_600_000_000)
        func write(_ name: String, time: Timestamp, base: [String]) throws {
            try layer(scratch, name) { tar in
                try tar.add("twice", data: "1", time: 1_790_000_000)
                try tar.add("fresh", data: "f", time: 1_790_000_000)
                try tar.add("kept", uid: 3, data: "k", time: 55)
            }
            try normalize(scratch, name, over: base, time: time)
        }
        try layer(scratch, "base") { tar in
            try tar.add("kept", data: "k", time: 55)
            try tar.add("twice", data: "0", time: 66)
        }
        try write("old", time: former, base: ["base"])
        try write("cold", time: epoch, base: ["base"])
        // As `StepLayer.copy` makes it.
        try layer(scratch, "copy") { tar in
            for name in ["twice", "fresh", "kept"] {
                try tar.add(
                    name, uid: name == "kept" ? 3 : 0, data: try scratch.text("old/\(name)"),
                    time: try seconds(scratch, "old/\(name)"))
            }
        }
        try normalize(scratch, "copy", over: ["base"], former: former)
        for name in ["twice", "fresh", "kept"] {
            #expect(try seconds(scratch, "copy/\(name)") == seconds(scratch, "cold/\(name)"), "\(name)")
        }
    }

    @Test func whiteoutsOfNothingGo() throws {
        let scratch = try Scratch()
        try layer(scratch, "lower") { tar in try tar.add("there", data: "x") }
        let upper = try scratch.make("upper")
        for name in ["there", "never"] {
            try Directory.makeNode(name, in: upper.raw, mode: 0o020000, major: 0, minor: 0)
        }
        try normalize(scratch, "upper", over: ["lower"])
        #expect(try scratch.exists("upper/there"))
        #expect(try !scratch.exists("upper/never"))
    }

    @Test func overlaysMarksGoButTheOpaqueOne() throws {
        let scratch = try Scratch()
        try layer(scratch, "lower") { tar in
            try tar.directory("d/")
            try tar.add("d/f", data: "x")
            try tar.add("f", data: "x")
        }
        try layer(scratch, "upper") { tar in
            try tar.directory("d/")
            try tar.add("f", data: "y", time: 1_790_000_000)
        }
        let upper = try Directory.open("upper", in: scratch.directory.raw)
        for mark in ["trusted.overlay.opaque", "trusted.overlay.impure"] {
            try ExtendedAttributes.set(mark, Array("y".utf8), on: "d", in: upper.raw)
        }
        try ExtendedAttributes.set("trusted.overlay.origin", [0, 0xfb], on: "f", in: upper.raw)
        try normalize(scratch, "upper", over: ["lower"])
        #expect(try scratch.attribute("trusted.overlay.opaque", "upper/d") == Array("y".utf8))
        #expect(try scratch.attribute("trusted.overlay.impure", "upper/d") == nil)
        #expect(try scratch.attribute("trusted.overlay.origin", "upper/f") == nil)
    }
}

@Suite(.enabled(if: isRoot, "layers need root")) struct CompiledPythonTests {
    private let epoch = Timestamp(seconds: 1_700_000_000)

    /// A compiled file of Python 3.11 (PEP 552): magic, flags, the source's time and size.
    private func compiled(flags: UInt8 = 0, time: Int64) -> [UInt8] {
        let stamp = UInt32(truncatingIfNeeded: time)
        return [0xa7, 0x0d, 0x0d, 0x0a, flags, 0, 0, 0]
            + (0..<4).map { UInt8(truncatingIfNeeded: stamp >> (8 * UInt32($0))) } + [4, 0, 0, 0]
            + Array("code".utf8)
    }

    private func held(_ scratch: Scratch, _ path: String) throws -> Int64 {
        let bytes = try FileDescriptor.open(path, in: scratch.directory.raw, [.readOnly]).readAll(limit: 1000)
        return (0..<4).reduce(Int64(0)) { $0 | Int64(bytes[8 + $1]) << (8 * Int64($1)) }
    }

    private func put(_ scratch: Scratch, _ path: String, _ bytes: [UInt8], time: Int64) throws {
        try FileDescriptor.open(
            path, in: scratch.directory.raw, [.writeOnly, .create, .truncate], mode: 0o644
        )
        .write(bytes)
        let stamp = Timestamp(seconds: time)
        try Directory.changeTimes(path, in: scratch.directory.raw, accessed: stamp, modified: stamp)
    }

    private func normalize(_ scratch: Scratch, over lowers: [String] = []) throws {
        let top = try Directory.open("upper", in: scratch.directory.raw)
        var opened: [SharedFileDescriptor] = []
        for lower in lowers {
            opened.append(SharedFileDescriptor(try Directory.open(lower, in: scratch.directory.raw)))
        }
        try LayerNormalization(upper: top.raw, lowers: opened.map(\.raw), time: epoch).run()
    }

    @Test func theCompiledFileHoldsItsSourcesNewTime() throws {
        let scratch = try Scratch()
        _ = try scratch.make("upper")
        _ = try scratch.make("upper/__pycache__")
        let now: Int64 = 1_790_000_000
        try put(scratch, "upper/x.py", Array("x=1\n".utf8), time: now)
        try put(scratch, "upper/__pycache__/x.cpython-311.pyc", compiled(time: now), time: now)
        try put(scratch, "upper/__pycache__/x.cpython-311.opt-1.pyc", compiled(time: now), time: now)
        try put(scratch, "upper/x.pyc", compiled(time: now), time: now)
        // By hash, and of a source that was changed after it.
        try put(scratch, "upper/__pycache__/x.cpython-312.pyc", compiled(flags: 3, time: now), time: now)
        try put(scratch, "upper/__pycache__/x.cpython-313.pyc", compiled(time: now - 9), time: now)
        try normalize(scratch)
        #expect(try scratch.status("upper/x.py").modified == epoch)
        for name in ["__pycache__/x.cpython-311.pyc", "__pycache__/x.cpython-311.opt-1.pyc", "x.pyc"] {
            #expect(try held(scratch, "upper/\(name)") == epoch.seconds, "\(name)")
            #expect(try scratch.status("upper/\(name)").modified == epoch)
        }
        #expect(try held(scratch, "upper/__pycache__/x.cpython-312.pyc") == now)
        #expect(try held(scratch, "upper/__pycache__/x.cpython-313.pyc") == now - 9)
    }

    /// Debian keeps some sources elsewhere and links to them.
    @Test func theSourceMayBeBehindALink() throws {
        let scratch = try Scratch()
        for name in ["upper", "upper/etc", "upper/lib", "upper/lib/__pycache__"] {
            _ = try scratch.make(name)
        }
        let now: Int64 = 1_790_000_000
        try put(scratch, "upper/etc/site.py", Array("x=1\n".utf8), time: now)
        try Directory.symlink(RawPath("/etc/site.py"), at: "upper/lib/site.py", in: scratch.directory.raw)
        try put(scratch, "upper/lib/__pycache__/site.cpython-311.pyc", compiled(time: now), time: now)
        try normalize(scratch)
        #expect(try held(scratch, "upper/lib/__pycache__/site.cpython-311.pyc") == epoch.seconds)
    }

    /// A source that changes twice with the same size: what was compiled from the first must not pass for the second's.
    @Test func aSourceThatIsReplacedIsNewerThanWhatWasCompiledFromTheFormer() throws {
        let scratch = try Scratch()
        _ = try scratch.make("lower")
        _ = try scratch.make("lower/__pycache__")
        _ = try scratch.make("upper")
        try put(scratch, "lower/x.py", Array("x=1\n".utf8), time: epoch.seconds)
        try put(
            scratch, "lower/__pycache__/x.cpython-311.pyc", compiled(time: epoch.seconds), time: epoch.seconds
        )
        try put(scratch, "upper/x.py", Array("x=2\n".utf8), time: 1_790_000_000)
        try normalize(scratch, over: ["lower"])
        let source = try scratch.status("upper/x.py").modified.seconds
        #expect(try source != held(scratch, "lower/__pycache__/x.cpython-311.pyc"))
        #expect(source == epoch.seconds + 1)
    }
}
