import Failure
import Testing

@testable import LinuxSystem

@Suite struct FlatRecordTests {
    @Test(arguments: ["", "plain", "two\nlines\r\n", "back\\slash\\n", "ümläut", " leading and trailing "])
    func anyValueComesBack(value: String) throws {
        var record = FlatRecord(kind: "test 1")
        record.add("key", value)
        record.add("key", "second")
        let read = try FlatRecord(kind: "test 1", parsing: record.bytes, name: "it")
        #expect(read == record)
        #expect(read.first("key") == value)
        #expect(read.all("key") == [value, "second"])
    }

    @Test func anotherKindIsDataLoss() {
        #expect {
            _ = try FlatRecord(kind: "test 1", parsing: Array("test 2\nkey value\n".utf8), name: "refs/x")
        } throws: {
            ($0 as? Failure)?.code == .dataLoss && ($0 as? Failure)?.message.contains("refs/x") == true
        }
        #expect(throws: Failure.self) { _ = try FlatRecord(kind: "test 1", parsing: [], name: "it") }
    }

    /// Whatever bytes a crash or a stranger leaves: an answer or a Failure.
    @Test func rubbishNeverCrashes() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 {
            let tail = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try? FlatRecord(kind: "k", parsing: Array("k\n".utf8) + tail, name: "it")
        }
    }
}
