import BuildContext
import LinuxSystem
import Testing

private let place = environment("CTR_CONTEXT_BENCH")

/// A measurement, not a test: CTR_CONTEXT_BENCH names a directory on the file system in question.
@Suite(.serialized, .enabled(if: place != nil, "a measurement on request")) struct SpeedTests {
    @Test func fiveThousandFiles() throws {
        let scratch = try Scratch(in: try #require(place))
        let text = String(repeating: "0123456789abcde\n", count: 640)
        for i in 0..<5000 {
            if i % 25 == 0 { try scratch.make("context/d\(i / 500)/s\(i / 25)") }
            try scratch.file("context/d\(i / 500)/s\(i / 25)/file-\(i).c", text)
        }
        Process.sleep(microseconds: 2_200_000)
        func measure<R>(_ name: String, _ body: () throws -> R) rethrows -> R {
            let start = monotonicNanoseconds()
            let result = try body()
            print("\(name): \(Double((monotonicNanoseconds() - start) / 1000) / 1000) ms")
            return result
        }
        let path = "\(scratch.path)/memory"
        let patterns = ["**/*.o", "node_modules", "*.log", "!keep.log"]
        for round in 0..<4 {
            let memory = measure("load") { DigestMemory(path: path) }
            let selection = try measure("select") {
                try scratch.context(ignoring: patterns).select(sources: ["."])
            }
            _ = try measure("digest \(round), \(selection.count) files") { try selection.digest(memory) }
            try measure("save") { try memory.save() }
            print("misses \(memory.misses)")
            try measure("copy") {
                try selection.copy(into: scratch.root.raw, destination: "/\(round)", CopyOptions())
            }
        }
    }
}
