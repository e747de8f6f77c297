import Layers
import Archive
import Failure
import LinuxSystem
import OverlayFS
import Testing

private let blob = environment("CTR_LAYER_BLOB")

/// A measurement, not a test: CTR_LAYER_BLOB names a layer's blob, CTR_LAYER_INTO an empty directory.
@Suite(.enabled(if: blob != nil, "a measurement on request")) struct ThroughputTests {
    @Test func unpack() throws {
        let path = try #require(blob)
        let into = environment("CTR_LAYER_INTO") ?? "/dev/shm"
        for _ in 0..<5 {
            let name = "\(into)/unpack-\(randomHex(bytes: 4))"
            try Directory.make(name)
            let root = try Directory.open(name)
            let start = monotonicNanoseconds()
            let pipeline = try LayerPipeline(nil, into: root.raw, layer: "layer")
            let file = try FileDescriptor.open(path)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 4096)
            defer { buffer.deallocate() }
            while true {
                let size = try file.read(into: buffer)
                if size == 0 { break }
                try pipeline.feed(UnsafeRawBufferPointer(rebasing: buffer[..<size]))
            }
            let result = try pipeline.finish()
            let end = monotonicNanoseconds()
            let status =
                try AtomicFile.read("/proc/self/status").map { String(decoding: $0, as: UTF8.self) } ?? ""
            let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
            print(
                "unpack \(result.tarSize >> 20) MiB, \(result.record.entries) entries: \(Double(end - start) / 1e9) s, \(peak)"
            )
            try Directory.removeTree(name)
        }
    }
}

private func environment(_ name: String) -> String? {
    guard let bytes = try? AtomicFile.read("/proc/self/environ") else { return nil }
    for line in bytes.split(separator: 0) {
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix(name + "=") { return String(text.dropFirst(name.utf8.count + 1)) }
    }
    return nil
}
