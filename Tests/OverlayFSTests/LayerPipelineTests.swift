import OCI
import Layers
import Archive
import Failure
import LinuxSystem
import OverlayFS
import Testing

@Suite(.enabled(if: isRoot, "owners need root")) struct LayerPipelineTests {
    private func pack(_ bytes: [UInt8], _ compression: Compression) throws -> [UInt8] {
        let compressor = try Compressor(compression)
        var out: [UInt8] = []
        try bytes.withUnsafeBytes { try compressor.feed($0) { out += $0 } }
        try compressor.finish { out += $0 }
        return out
    }

    /// Larger than all blocks of the queue together.
    private func large() throws -> [UInt8] {
        var text = ""
        for i in 0..<60_000 { text += "line \(i) of a file that is long enough\n" }
        return try Tar.make { tar in
            try tar.directory("d/")
            for i in 0..<3 { try tar.add("d/f\(i)", data: text) }
        }
    }

    private func run(
        _ scratch: Scratch, _ blob: [UInt8], _ compression: Compression?, piece: Int, hashesInput: Bool = true
    ) throws -> LayerPipeline.Result {
        let name = "fs-\(randomHex(bytes: 4))"
        let root = try scratch.make(name)
        let pipeline = try LayerPipeline(
            compression, into: root.raw, layer: "layer test", hashesInput: hashesInput)
        var at = 0
        while at < blob.count {
            let end = min(blob.count, at + piece)
            try pipeline.feed(Array(blob[at..<end]))
            at = end
        }
        let result = try pipeline.finish()
        #expect(try scratch.status("\(name)/d/f2").size > 2_000_000)
        return result
    }

    @Test(arguments: [Compression.uncompressed, .gzip, .zstd])
    func bothDigestsAndTheFiles(_ compression: Compression) throws {
        let scratch = try Scratch()
        let tar = try large()
        let blob = try pack(tar, compression)
        for piece in [1000, 65_536, Int.max / 2] {
            for told: Compression? in [nil, compression] {
                let result = try run(scratch, blob, told, piece: piece)
                #expect(result.compressedHex == ContentHash.hex(of: blob))
                #expect(result.diffIDHex == ContentHash.hex(of: tar))
                #expect(result.compressedSize == UInt64(blob.count))
                #expect(result.tarSize == UInt64(tar.count))
                #expect(result.record.entries == 4)
            }
        }
        #expect(try run(scratch, blob, nil, piece: 5000, hashesInput: false).compressedHex == nil)
    }

    /// Padding after the tar's end marker belongs to the diffID.
    @Test func theDiffIDCoversTheWholeStream() throws {
        let scratch = try Scratch()
        let tar = try large() + [UInt8](repeating: 0, count: 700_000)
        #expect(try run(scratch, tar, nil, piece: 10_000).diffIDHex == ContentHash.hex(of: tar))
    }

    @Test(arguments: [Compression.uncompressed, .gzip, .zstd])
    func aCutBlobFails(_ compression: Compression) throws {
        let scratch = try Scratch()
        let blob = try pack(try large(), compression)
        for size in [3, 100, blob.count / 2] {
            let failure = #expect(throws: Failure.self) {
                try run(scratch, Array(blob[..<size]), compression, piece: 4000)
            }
            #expect(failure?.message.hasPrefix("layer test: ") == true, "\(failure?.message ?? "")")
        }
    }

    @Test func aRefusedEntryStopsTheFeeding() throws {
        let scratch = try Scratch()
        let bad = try Tar.make { tar in try tar.add("../canary/file", data: "dead") }
        let tar = Array(bad.dropLast(1024)) + (try large())
        let root = try scratch.make("fs")
        let pipeline = try LayerPipeline(nil, into: root.raw, layer: "layer test")
        let failure = #expect(throws: Failure.self) {
            // Without the failure this would wait for ever.
            for _ in 0..<100 { try pipeline.feed(tar) }
        }
        #expect(failure?.message.contains("../canary/file") == true)
        #expect(scratch.canaryLives)
    }

    @Test func itCanBeStoppedAtAnyTime() throws {
        let scratch = try Scratch()
        let blob = try pack(try large(), .gzip)
        for size in [0, 2, 1000, blob.count] {
            let root = try scratch.make("fs-\(size)")
            let pipeline = try LayerPipeline(nil, into: root.raw, layer: "layer test")
            try pipeline.feed(Array(blob[..<size]))
            pipeline.cancel()
            pipeline.cancel()
            if size > 0 { #expect(throws: Failure.self) { try pipeline.finish() } }
        }
        // Dropped without a word.
        let root = try scratch.make("fs-dropped")
        do {
            let pipeline = try LayerPipeline(nil, into: root.raw, layer: "layer test")
            try pipeline.feed(Array(blob[..<5000]))
        }
    }

    /// 25153 is containerd's: an image that unpacks to more than there is room for.
    @Test func CVE_2023_25153_bombsStop() throws {
        let scratch = try Scratch()
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let compressor = try Compressor(.zstd)
        var bomb: [UInt8] = []
        for _ in 0..<256 { try zeros.withUnsafeBytes { try compressor.feed($0) { bomb += $0 } } }
        try compressor.finish { bomb += $0 }
        #expect(bomb.count < 100_000)
        var limits = LayerPipeline.Limits()
        limits.tarBytes = 64 << 20
        let root = try scratch.make("fs")
        let pipeline = try LayerPipeline(nil, into: root.raw, layer: "layer test", limits: limits)
        let failure = #expect(throws: Failure.self) {
            try pipeline.feed(bomb)
            _ = try pipeline.finish()
        }
        #expect(failure?.code == .resourceExhausted)
    }

    @Test func emptyLayers() throws {
        let scratch = try Scratch()
        // What docker calls the empty layer: gzip of 1024 zero bytes.
        let tar = [UInt8](repeating: 0, count: 1024)
        let root = try scratch.make("fs")
        let pipeline = try LayerPipeline(.gzip, into: root.raw, layer: "layer test")
        try pipeline.feed(try pack(tar, .gzip))
        let result = try pipeline.finish()
        #expect(result.diffIDHex == "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef")
        #expect(result.record == LayerRecord())
    }
}
