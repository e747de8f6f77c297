import Layers
import Archive
import ContainerMonitor
import Failure
import LaunchPlan
import LinuxSystem
import OverlayFS
import Synchronization
import Testing

@Suite(.enabled(if: isRoot, "mounts need root")) struct OverlayMountTests {
    private func layers(_ scratch: Scratch, _ names: [String]) throws -> [SharedFileDescriptor] {
        try names.map { SharedFileDescriptor(try Directory.open($0, in: scratch.directory.raw)) }
    }

    private func read(_ name: String, of mount: borrowing DetachedMount) throws -> String {
        String(
            decoding: try FileDescriptor.open(name, in: mount.descriptor.raw).readAll(limit: 1 << 20),
            as: UTF8.self)
    }

    private func mountCount() throws -> Int {
        let bytes = try AtomicFile.read("/proc/self/mountinfo", limit: 64 << 20) ?? []
        return bytes.count { $0 == 10 }
    }

    /// Without an upper layer; with one its mounter is somebody of the namespace (RootMount).
    @Test(arguments: OverlayMount.Strategy.allCases, [1, 2])
    func ownersAreSeenThroughAUserNamespace(_ strategy: OverlayMount.Strategy, _ count: Int) throws {
        let scratch = try Scratch()
        for name in ["a", "b"] {
            try scratch.apply(try Tar.make { try $0.add("of-\(name)", data: name) }, to: name)
        }
        let fds = try layers(scratch, Array(["b", "a"].prefix(count)))
        let before = try mountCount()
        let namespace = try IDMaps(uids: "0 3000 10\n", gids: "0 4000 10\n").openNamespace()
        do {
            let mount = try OverlayMount.make(
                layers: fds.map(\.raw), ids: namespace.raw, strategy: strategy,
                scratch: scratch.path + "/scratch")
            for name in ["a", "b"].suffix(count) {
                let status = try FileDescriptor.status("of-\(name)", in: mount.descriptor.raw)
                #expect((status.uid, status.gid) == (3000, 4000))
                #expect(try read("of-\(name)", of: mount) == name)
            }
        }
        #expect(try mountCount() == before)
        if count > 1 {
            #expect(try Directory.names(in: try Directory.open(scratch.path + "/scratch")).isEmpty)
        }
    }

    /// So that one killed in between leaves nothing: its namespace goes with it.
    @Test(arguments: OverlayMount.Strategy.allCases, [true, false])
    func whatStandsForAMomentIsSeenByNobody(_ strategy: OverlayMount.Strategy, _ isMapped: Bool) throws {
        let scratch = try Scratch()
        for name in ["a", "b"] {
            try scratch.apply(try Tar.make { try $0.add("of-\(name)", data: name) }, to: name)
        }
        let fds = try layers(scratch, ["b", "a"])
        let namespace = try IDMaps(uids: "0 3000 10\n", gids: "0 4000 10\n").openNamespace()
        let watch = Watch(scratch.path)
        let watcher = try Thread("watch") { watch.run() }
        defer {
            watch.isOver.store(true, ordering: .releasing)
            watcher.join()
            #expect(watch.looks > 0 && watch.seen == 0)
        }
        for _ in 0..<50 {
            _ = try OverlayMount.make(
                layers: fds.map(\.raw), ids: isMapped ? namespace.raw : nil, strategy: strategy,
                scratch: scratch.path + "/scratch")
        }
    }

    /// Reads the mounts again and again, until it is over.
    private final class Watch: @unchecked Sendable {
        let path: [UInt8]
        let isOver = Atomic<Bool>(false)
        private(set) var looks = 0, seen = 0

        init(_ path: String) { self.path = Array(path.utf8) }

        func run() {
            while !isOver.load(ordering: .acquiring) {
                guard let mounts = try? AtomicFile.read("/proc/self/mountinfo", limit: 64 << 20) else {
                    return
                }
                looks += 1
                if mounts.split(separator: 10).contains(where: { $0.firstRange(of: path) != nil }) {
                    seen += 1
                }
            }
        }
    }

    @Test(arguments: OverlayMount.Strategy.allCases)
    func layersShowAsOne(_ strategy: OverlayMount.Strategy) throws {
        let scratch = try Scratch()
        try scratch.apply(
            try Tar.make { tar in
                try tar.directory("d/")
                try tar.add("d/kept", data: "kept")
                try tar.add("d/gone", data: "gone")
                try tar.directory("o/")
                try tar.add("o/hidden", data: "hidden")
            }, to: "a")
        try scratch.apply(
            try Tar.make { tar in
                try tar.directory("d/")
                try tar.add("d/.wh.gone")
                try tar.directory("o/")
                try tar.add("o/.wh..wh..opq")
                try tar.add("o/new", data: "new")
            }, to: "b")
        let fds = try layers(scratch, ["b", "a"])
        // Not beside each other, as of a build's step.
        _ = try scratch.make("new")
        let upper = try scratch.make("new/upper")
        let work = try scratch.make("work")
        let before = try mountCount()
        let mount = try OverlayMount.make(
            layers: fds.map(\.raw), upper: .init(upper: upper.raw, work: work.raw), strategy: strategy,
            scratch: scratch.path + "/scratch")
        #expect(try read("d/kept", of: mount) == "kept")
        #expect(try !FileDescriptor.exists("d/gone", in: mount.descriptor.raw))
        #expect(try !FileDescriptor.exists("o/hidden", in: mount.descriptor.raw))
        #expect(try read("o/new", of: mount) == "new")
        try FileDescriptor.open("d/own", in: mount.descriptor.raw, [.writeOnly, .create]).write("mine")
        try Directory.removeFile("d/kept", in: mount.descriptor.raw)
        #expect(try scratch.text("new/upper/d/own") == "mine")
        #expect(try scratch.status("new/upper/d/kept").kind == .characterDevice)
        // Nothing of it stands in this namespace.
        #expect(try mountCount() == before)

        let readOnly = try OverlayMount.make(
            layers: fds.map(\.raw), strategy: strategy, scratch: scratch.path + "/scratch")
        #expect(try read("d/kept", of: readOnly) == "kept")
        #expect(throws: SystemError.self) {
            _ = try FileDescriptor.open("x", in: readOnly.descriptor.raw, [.writeOnly, .create])
        }
        if strategy == .oneString {
            #expect(try Directory.names(in: Directory.open("scratch", in: scratch.directory.raw)).isEmpty)
        }
    }

    @Test func oneLayerIsABind() throws {
        let scratch = try Scratch()
        try scratch.apply(try Tar.make { tar in try tar.add("f", data: "f") }, to: "a")
        let fds = try layers(scratch, ["a"])
        let mount = try OverlayMount.make(layers: [fds[0].raw], scratch: scratch.path)
        #expect(try read("f", of: mount) == "f")
        #expect(try mount.descriptor.fileSystemType() == fds[0].fileSystemType)
        #expect(throws: SystemError.self) {
            _ = try FileDescriptor.open("f", in: mount.descriptor.raw, [.writeOnly])
        }
    }

    @Test(arguments: OverlayMount.Strategy.allCases)
    func oneHundredAndTwentySevenLayers(_ strategy: OverlayMount.Strategy) throws {
        let scratch = try Scratch()
        let names = (0..<127).map { "layer-\($0)" }
        for (i, name) in names.enumerated() {
            let root = try scratch.make(name)
            try FileDescriptor.open("f\(i)", in: root.raw, [.writeOnly, .create]).write("\(i)")
        }
        let fds = try layers(scratch, names)
        let upper = try scratch.make("upper")
        let work = try scratch.make("work")
        let mount = try OverlayMount.make(
            layers: fds.map(\.raw), upper: .init(upper: upper.raw, work: work.raw), strategy: strategy,
            scratch: scratch.path + "/scratch")
        for i in [0, 64, 126] { #expect(try read("f\(i)", of: mount) == "\(i)") }
    }

    @Test(arguments: OverlayMount.Strategy.allCases)
    func marksOfAUserNamespace(_ strategy: OverlayMount.Strategy) throws {
        let scratch = try Scratch()
        try scratch.apply(try Tar.make { tar in try tar.add("f", data: "f") }, to: "a")
        let fds = try layers(scratch, ["a"])
        let upper = try scratch.make("upper")
        let work = try scratch.make("work")
        let mount = try OverlayMount.make(
            layers: [fds[0].raw], upper: .init(upper: upper.raw, work: work.raw), userXattr: true,
            strategy: strategy, scratch: scratch.path + "/scratch")
        #expect(try read("f", of: mount) == "f")
    }

    @Test func aFileForALayerIsAClearError() throws {
        let scratch = try Scratch()
        let file = try FileDescriptor.open("canary/file", in: scratch.directory.raw, [.pathOnly])
        let failure = #expect(throws: Failure.self) {
            _ = try OverlayMount.make(layers: [file.raw, file.raw], scratch: scratch.path + "/scratch")
        }
        #expect(failure?.message.hasPrefix("mount an overlay of 2 layers: ") == true)
    }

    @Test func tooManyLayers() throws {
        let failure = #expect(throws: Failure.self) {
            _ = try OverlayMount.make(layers: Array(repeating: 0, count: 501), scratch: "/dev/shm")
        }
        #expect(failure?.message.contains("501") == true)
        #expect(throws: Failure.self) { _ = try OverlayMount.make(layers: [], scratch: "/dev/shm") }
    }

    @Test func changesAndLayerComeBack() throws {
        let scratch = try Scratch()
        try scratch.apply(
            try Tar.make { tar in
                try tar.directory("d/")
                try tar.add("d/kept", data: "kept")
                try tar.add("d/gone", data: "gone")
                try tar.add("d/edited", data: "1")
                try tar.directory("o/")
                try tar.add("o/hidden", data: "h")
                try tar.add("o/again", data: "h")
            }, to: "a")
        let fds = try layers(scratch, ["a"])
        let upper = try scratch.make("upper")
        let work = try scratch.make("work")
        let mount = try OverlayMount.make(
            layers: [fds[0].raw], upper: .init(upper: upper.raw, work: work.raw), scratch: scratch.path)
        let root = mount.descriptor.raw
        try Directory.removeFile("d/gone", in: root)
        try FileDescriptor.open("d/edited", in: root, [.writeOnly, .truncate]).write("2")
        try Directory.make("n", in: root, mode: 0o755)
        try FileDescriptor.open("n/f", in: root, [.writeOnly, .create], mode: 0o644).write("n")
        try Directory.link("n/f", in: root, to: "n/hard", in: root)
        try Directory.removeTree("o", in: root)
        try Directory.make("o", in: root, mode: 0o755)
        try FileDescriptor.open("o/again", in: root, [.writeOnly, .create]).write("a")
        let diff = LayerDiff(upper: upper.raw, lowers: [fds[0].raw])
        let list = try diff.changes().map { "\($0.kind.rawValue) \($0.path.shown)" }
        #expect(
            list == [
                "C d", "C d/edited", "D d/gone", "A n", "A n/f", "A n/hard", "C o", "C o/again", "D o/hidden",
            ])

        // The diff as a layer over the same one shows the same.
        var tar: [UInt8] = []
        let writer = TarWriter { (bytes) throws(Failure) in tar += bytes }
        try diff.write(to: writer)
        try writer.finish()
        let record = try scratch.apply(tar, to: "b")
        #expect(!record.needsParents)
        let both = try layers(scratch, ["b", "a"])
        let shown = try OverlayMount.make(layers: both.map(\.raw), scratch: scratch.path)
        func export(_ root: Int32) throws -> [UInt8] {
            var bytes: [UInt8] = []
            let writer = TarWriter { (piece) throws(Failure) in bytes += piece }
            try LayerDiff.export(root: root, to: writer)
            try writer.finish()
            return bytes
        }
        let once = try export(root)
        #expect(once == (try export(shown.descriptor.raw)))
        var names: [String] = []
        var left = once
        let reader = try TarReader { () throws(Failure) in
            if left.isEmpty { return nil }
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: left.count, alignment: 1)
            copy.copyBytes(from: left)
            left = []
            return UnsafeRawBufferPointer(copy)
        }
        while let entry = try reader.next() { names.append(entry.path.shown) }
        #expect(names == ["d/", "d/edited", "d/kept", "n/", "n/f", "n/hard", "o/", "o/again"])
    }

    @Test func deepTreesAreExported() throws {
        let scratch = try Scratch()
        let deep = Array(repeating: "d", count: 300).joined(separator: "/")
        try scratch.apply(try Tar.make { tar in try tar.add(deep + "/f", data: "x") }, to: "a")
        let root = try Directory.open("a", in: scratch.directory.raw)
        var bytes: [UInt8] = []
        let writer = TarWriter { (piece) throws(Failure) in bytes += piece }
        try LayerDiff.export(root: root.raw, to: writer)
        try writer.finish()
        let record = try scratch.apply(bytes, to: "b")
        #expect(record.entries == 301)
        #expect(try scratch.text("b/\(deep)/f") == "x")
    }
}

extension SharedFileDescriptor {
    var fileSystemType: Int {
        (try? FileDescriptor.open(".", in: raw, [.readOnly, .directory]).fileSystemType()) ?? -1
    }
}
