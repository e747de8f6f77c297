import Failure
import OCI
import ScriptedRegistry
import Testing

@testable import RegistryClient

@Suite("Proxies")
struct ProxyTests {
    /// The scripted registry plays the proxy and, behind it, the registry: after CONNECT both speak on one connection.
    @Test func requestsGoThroughTheProxy() async throws {
        let registry = ScriptedRegistry()
        try registry.start()
        registry.addManifest(Array(manifestText.utf8), to: "app", tag: "1")
        registry.script { $0.method == "CONNECT" ? ScriptedRegistry.Response(200) : nil }
        var configuration = quickConfiguration(environment: ["HTTP_PROXY": "http://ann:pw@\(registry.domain)"]
        )
        configuration.insecureRegistries = ["registry.test:5000"]
        let client = RegistryClient(configuration)
        let manifest = try await client.resolve(
            Reference(domain: "registry.test:5000", path: "app", tag: "1", digest: nil))
        #expect(manifest.bytes == Array(manifestText.utf8))
        let connect = registry.requests.filter { $0.method == "CONNECT" }
        #expect(connect.first?.path == "registry.test:5000")
        #expect(connect.first?.headers["proxy-authorization"] == "Basic " + ScriptedRegistry.base64("ann:pw"))
        #expect(registry.requests.last?.headers["proxy-authorization"] == nil)
        // Loopback goes past it.
        registry.forgetRequests()
        _ = try await client.resolve(Reference(domain: registry.domain, path: "app", tag: "1", digest: nil))
        #expect(!registry.requests.contains { $0.method == "CONNECT" })
        await client.close()
        registry.stop()
    }

    @Test func proxyThatCannotBeUsed() async throws {
        var configuration = quickConfiguration(environment: ["HTTPS_PROXY": "quic://user:hidden@p:1"])
        configuration.retry.tries = 1
        let client = RegistryClient(configuration)
        let failure = await failure {
            _ = try await client.resolve(Reference(domain: "registry.test", path: "a", tag: "1", digest: nil))
        }
        await client.close()
        #expect(failure.code == .invalidArgument)
        #expect(failure.message == "HTTPS_PROXY does not name a proxy that ctr can use")
        #expect(!(failure.hint ?? "").contains("hidden"))
    }
}
