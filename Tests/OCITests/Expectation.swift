import Failure
import OCI
import Testing

/// Runs what must fail and gives its failure; records an issue where nothing or something else is thrown.
func failure<Value>(
    of body: () throws -> Value, sourceLocation: SourceLocation = #_sourceLocation
) -> Failure? {
    do {
        let value = try body()
        Issue.record("no failure but \(value)", sourceLocation: sourceLocation)
    } catch let failure as Failure {
        if failure.message.contains("\n") {
            Issue.record("more than one line: \(failure.message)", sourceLocation: sourceLocation)
        }
        return failure
    } catch {
        Issue.record("not a Failure: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// A valid digest, told from others by its first digits.
func digest(_ start: String) throws -> Digest {
    try Digest("sha256:" + start + String(repeating: "0", count: 64 - start.count))
}

func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
