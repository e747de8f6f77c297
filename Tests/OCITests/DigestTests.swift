import Failure
import OCI
import Testing

@Suite struct DigestTests {
    @Test func parts() throws {
        let text = "sha256:" + String(repeating: "0a", count: 32)
        let digest = try Digest(text)
        #expect(digest.description == text)
        #expect(digest.algorithm == .sha256)
        #expect(digest.short == "0a0a0a0a0a0a")
        #expect(try Digest("sha512:" + String(repeating: "f", count: 128)).algorithm == .sha512)
    }

    @Test(arguments: [
        "", ":", "sha256", "sha256:", "sha256:abc", "md5:" + String(repeating: "a", count: 32),
        "sha256:" + String(repeating: "A", count: 64), "sha256:" + String(repeating: "a", count: 65),
        "sha256:" + String(repeating: "a", count: 63) + "/", "sha512:" + String(repeating: "a", count: 64),
        "sha256:../../../../../../../../../../../../../../../../etc/passwd0123456789",
        "SHA256:" + String(repeating: "a", count: 64), "sha256:a\nb",
    ])
    func refused(text: String) {
        #expect(failure(of: { try Digest(text) })?.code == .invalidArgument)
    }

}
