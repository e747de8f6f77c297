import Failure
import OCI
import Testing

@Suite struct DigestTests {
    @Test func roundTrip() throws {
        let text = "sha256:" + String(repeating: "0a", count: 32)
        #expect(try Digest(text).description == text)
    }
}
