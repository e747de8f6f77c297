import Failure
import OCI
import ScriptedRegistry
import Testing

@testable import RegistryClient

@Suite("Authentication")
struct AuthenticationTests {
    private func login(_ registry: ScriptedRegistry, _ user: String, _ password: String)
        -> RegistryConfiguration
    {
        quickConfiguration(
            environment: ["HOME": "/h"],
            files: [
                "/h/.docker/config.json":
                    #"{"auths":{"\#(registry.domain)":{"auth":"\#(ScriptedRegistry.base64("\(user):\(password)"))"}}}"#
            ])
    }

    private func withLogin(
        _ user: String, _ password: String, change: (inout RegistryConfiguration) -> Void = { _ in },
        _ body: (ScriptedRegistry, RegistryClient, Reference) async throws -> Void
    ) async throws {
        let registry = ScriptedRegistry()
        try registry.start()
        registry.addManifest(Array(manifestText.utf8), to: "app", tag: "1")
        var configuration = login(registry, user, password)
        change(&configuration)
        let client = RegistryClient(configuration)
        do {
            try await body(
                registry, client, Reference(domain: registry.domain, path: "app", tag: "1", digest: nil))
        } catch {
            Issue.record(error)
        }
        await client.close()
        registry.stop()
    }

    @Test func basic() async throws {
        try await withLogin("ann", "s:3cret") { registry, client, reference in
            registry.authenticate(by: .basic(user: "ann", password: "s:3cret"))
            _ = try await client.resolve(reference)
            _ = try await client.resolve(reference)
            // Asked once, known from then on.
            #expect(registry.requests.count { $0.headers["authorization"] == nil } == 2)
        }
    }

    @Test func wrongPassword() async throws {
        try await withLogin("ann", "wrong") { registry, client, reference in
            registry.authenticate(by: .basic(user: "ann", password: "right"))
            let failure = await failure { _ = try await client.resolve(reference) }
            #expect(failure.code == .unauthenticated)
            #expect(
                failure.message
                    == "registry answered 401: \(registry.domain) refused the password of ann: authentication required"
            )
            #expect(failure.hint == "log in again with `ctr login \(registry.domain)`")
            #expect(registry.requests.count { $0.path.contains("manifests") } == 2)
        }
    }

    @Test func noLogin() async throws {
        try await withRegistry { registry, client in
            registry.authenticate(by: .basic(user: "ann", password: "right"))
            let failure = await failure {
                _ = try await client.resolve(
                    Reference(domain: registry.domain, path: "app", tag: "1", digest: nil))
            }
            #expect(failure.code == .unauthenticated)
            #expect(failure.hint == "log in with `ctr login \(registry.domain)`")
        }
    }

    @Test func anonymousTokenIsFetchedOnceForManyRequests() async throws {
        try await withRegistry { registry, client in
            registry.authenticate(by: .bearer(user: nil, password: nil, lifetime: 300))
            registry.addManifest(Array(manifestText.utf8), to: "app", tag: "1")
            let content = bytes(1000)
            let digest = registry.addBlob(content, to: "app")
            _ = try await client.resolve(
                Reference(domain: registry.domain, path: "app", tag: "1", digest: nil))
            let source = try client.source(domain: registry.domain, path: "app")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask {
                        let got = try await read(source.openBlob(blob(digest, 1000), from: 0))
                        #expect(got == content)
                    }
                }
                try await group.waitForAll()
            }
            let tokens = registry.requests.filter { $0.path == "/token" }
            #expect(tokens.count == 1)
            #expect(tokens.first?.value("service") == "scripted, registry")
            #expect(tokens.first?.value("scope") == "repository:app:pull")
            #expect(tokens.first?.headers["authorization"] == nil)
            // The ping, and the one request that was refused.
            #expect(
                registry.requests.count { $0.headers["authorization"] == nil && $0.path != "/token" } == 2)
        }
    }

    @Test func manyAtOnceFetchOneToken() async throws {
        try await withRegistry { registry, client in
            registry.authenticate(by: .bearer(user: nil, password: nil, lifetime: 300))
            let digest = registry.addBlob([1, 2, 3], to: "app")
            let source = try client.source(domain: registry.domain, path: "app")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<8 {
                    group.addTask { _ = try await read(source.openBlob(blob(digest, 3), from: 0)) }
                }
                try await group.waitForAll()
            }
            #expect(registry.requests.count { $0.path == "/token" } == 1)
            #expect(registry.requests.count { $0.path == "/v2/" } == 1)
        }
    }

    @Test func tokenEndsInTheMiddleOfAPull() async throws {
        try await withLogin("ann", "pw") { registry, client, reference in
            registry.authenticate(by: .bearer(user: "ann", password: "pw", lifetime: 1))
            _ = try await client.resolve(reference)
            try await Task.sleep(for: .milliseconds(1100))
            // Refreshed before it is refused.
            registry.forgetRequests()
            _ = try await client.resolve(reference)
            #expect(registry.requests.map(\.path) == ["/token", "/v2/app/manifests/1"])
            // Refused although it should be good.
            registry.forgetTokens()
            registry.forgetRequests()
            _ = try await client.resolve(reference)
            #expect(
                registry.requests.map(\.path) == ["/v2/app/manifests/1", "/token", "/v2/app/manifests/1"])
        }
    }

    @Test func tokenServerRefusesThePassword() async throws {
        try await withLogin("ann", "wrong-pw") { registry, client, reference in
            registry.authenticate(by: .bearer(user: "ann", password: "pw", lifetime: 60))
            let failure = await failure { _ = try await client.resolve(reference) }
            #expect(failure.code == .unauthenticated)
            #expect(
                failure.message
                    == "token server \(registry.domain) answered 401 and refused the password of ann: "
                    + "incorrect username or password")
            #expect(!"\(failure)\(failure.hint ?? "")".contains("wrong-pw"))
        }
    }

    @Test func refusalsWithoutEnd() async throws {
        try await withLogin("ann", "pw") { registry, client, reference in
            registry.authenticate(by: .bearer(user: "ann", password: "pw", lifetime: 60))
            let domain = registry.domain
            registry.script { request in
                guard request.path.contains("/manifests/") else { return nil }
                return .error(
                    401, "DENIED", "requested access to the resource is denied",
                    [
                        (
                            "WWW-Authenticate",
                            "Bearer realm=\"http://\(domain)/token\",service=\"scripted, registry\""
                        )
                    ])
            }
            let failure = await failure { _ = try await client.resolve(reference) }
            #expect(failure.code == .unauthenticated)
            #expect(failure.message.hasSuffix("requested access to the resource is denied"))
            #expect(registry.requests.count < 10)
        }
    }

    @Test(arguments: ["Negotiate", "", "Digest realm=\"x\", nonce=\"y\""])
    func schemesThatAreNotKnown(challenge: String) async throws {
        try await withRegistry { registry, client in
            registry.script { request in
                .error(401, "UNAUTHORIZED", "no", challenge.isEmpty ? [] : [("WWW-Authenticate", challenge)])
            }
            let failure = await failure {
                _ = try await client.resolve(
                    Reference(domain: registry.domain, path: "app", tag: "1", digest: nil))
            }
            #expect(failure.code == .unsupported)
        }
    }

    @Test(arguments: ["access_token", "token"])
    func bothNamesOfATokenAreRead(name: String) async throws {
        try await withRegistry { registry, client in
            let domain = registry.domain
            registry.addManifest(Array(manifestText.utf8), to: "app", tag: "1")
            registry.script { request in
                if request.path == "/auth" { return Response(200, text: #"{"\#(name)":"abc.def"}"#) }
                guard request.path.contains("manifests"), request.headers["authorization"] != "Bearer abc.def"
                else { return nil }
                return .error(
                    401, "UNAUTHORIZED", "no",
                    [("WWW-Authenticate", "BEARER Realm=\"http://\(domain)/auth?x=1\"")])
            }
            _ = try await client.resolve(Reference(domain: domain, path: "app", tag: "1", digest: nil))
            let asked = registry.requests.first { $0.path == "/auth" }
            #expect(asked?.value("x") == "1")
            #expect(asked?.value("scope") == "repository:app:pull")
        }
    }

    @Test(arguments: [#"{"token":"a b"}"#, #"{"token":"a\nX-Evil: 1"}"#, "{}", "rubbish", #"{"token":""}"#])
    func tokensThatCannotBeUsed(answer: String) async throws {
        try await withRegistry { registry, client in
            registry.authenticate(by: .bearer(user: nil, password: nil, lifetime: 60))
            registry.script { $0.path == "/token" ? Response(200, text: answer) : nil }
            let failure = await failure {
                _ = try await client.resolve(
                    Reference(domain: registry.domain, path: "app", tag: "1", digest: nil))
            }
            #expect(failure.code == .dataLoss)
        }
    }

    @Test func endlessTokenAnswer() async throws {
        try await withRegistry { registry, client in
            registry.authenticate(by: .bearer(user: nil, password: nil, lifetime: 60))
            registry.script { request in
                guard request.path == "/token" else { return nil }
                var response = Response(200, body: [UInt8](repeating: 0x20, count: 10 << 20))
                response.isChunked = true
                return response
            }
            let failure = await failure {
                _ = try await client.resolve(
                    Reference(domain: registry.domain, path: "app", tag: "1", digest: nil))
            }
            #expect(failure.code == .resourceExhausted)
        }
    }

    @Test func identityToken() async throws {
        let registry = ScriptedRegistry()
        try registry.start()
        registry.authenticate(by: .bearer(user: "ann", password: "x", lifetime: 60))
        registry.addManifest(Array(manifestText.utf8), to: "app", tag: "1")
        let client = RegistryClient(
            quickConfiguration(environment: [
                "DOCKER_AUTH_CONFIG": #"{"auths":{"\#(registry.domain)":{"identitytoken":"refresh-ok"}}}"#
            ]))
        let reference = Reference(domain: registry.domain, path: "app", tag: "1", digest: nil)
        _ = try await client.resolve(reference)
        let post = registry.requests.first { $0.path == "/token" }
        #expect(post?.method == "POST")
        #expect(
            String(decoding: post?.body ?? [], as: UTF8.self)
                == "grant_type=refresh_token&client_id=ctr&refresh_token=refresh-ok&service=scripted,%20registry"
                + "&scope=repository:app:pull")
        // A server that knows only GET.
        registry.forgetTokens()
        registry.forgetRequests()
        registry.script { request in
            guard request.path == "/token" else { return nil }
            if request.method == "POST" { return Response(405) }
            return request.headers["authorization"] == "Basic "
                + ScriptedRegistry.base64("<token>:refresh-ok")
                ? Response(200, text: #"{"token":"unknown"}"#) : Response(401)
        }
        _ = await failure { _ = try await client.resolve(reference) }
        #expect(registry.requests.contains { $0.method == "GET" && $0.path == "/token" })
        await client.close()
        registry.stop()
    }

    /// CVE-2020-15157, CVE-2024-3727: logins go to the registry's own site only.
    @Test func foreignTokenServerGetsNoLogin() async throws {
        let registry = TokenServer(
            realm: try #require(WebAddress("https://auth.evil.example/token")), service: nil)
        let base = try #require(WebAddress("https://registry.good.example/v2/"))
        #expect(!registry.mayKnowLogins(of: base, trusted: []))
        #expect(registry.mayKnowLogins(of: base, trusted: ["auth.evil.example"]))
        #expect(registry.mayBeAsked(by: base))
        func knows(_ realm: String, _ registry: String) throws -> Bool {
            TokenServer(realm: try #require(WebAddress(realm)), service: nil)
                .mayKnowLogins(of: try #require(WebAddress(registry)), trusted: [])
        }
        #expect(try knows("https://auth.docker.io/token", "https://registry-1.docker.io/v2/"))
        #expect(try knows("https://gitlab.com/jwt/auth", "https://registry.gitlab.com/v2/"))
        #expect(try !knows("https://b.co.uk/t", "https://a.co.uk/v2/"))
        #expect(try knows("https://auth.a.co.uk/t", "https://registry.a.co.uk/v2/"))
        #expect(try !knows("http://auth.docker.io/token", "https://registry-1.docker.io/v2/"))
        #expect(try !knows("http://registry.example.org/token", "https://registry.example.org/v2/"))
        #expect(try !knows("https://10.0.0.2/t", "https://10.0.0.1/v2/"))
        #expect(try knows("http://127.0.0.1:6000/t", "http://localhost:5000/v2/"))
        func asked(_ realm: String, _ registry: String) throws -> Bool {
            TokenServer(realm: try #require(WebAddress(realm)), service: nil)
                .mayBeAsked(by: try #require(WebAddress(registry)))
        }
        #expect(try !asked("https://169.254.169.254/latest", "https://registry.example.org/v2/"))
        #expect(try !asked("https://localhost:8443/t", "https://registry.example.org/v2/"))
        #expect(try !asked("http://auth.example.org/t", "https://registry.example.org/v2/"))
    }

    @Test func realmThatIsNotAsked() async throws {
        try await withRegistry { registry, client in
            registry.authenticate(
                by: .bearer(user: nil, password: nil, lifetime: 60),
                realm: "http://169.254.169.254/latest/meta-data")
            let failure = await failure {
                _ = try await client.resolve(
                    Reference(domain: registry.domain, path: "app", tag: "1", digest: nil))
            }
            #expect(failure.code == .permissionDenied)
            #expect(
                failure.message.hasSuffix(
                    "token server that is not asked: http://169.254.169.254/latest/meta-data"))
        }
    }

    @Test(arguments: [301, 302, 303, 307, 308])
    func loginIsNotSentBeyondARedirect(status: Int) async throws {
        let storage = ScriptedRegistry()
        try storage.start()
        let content = bytes(5000)
        storage.script { _ in Response(200, body: content) }
        try await withLogin("ann", "pw") { registry, client, _ in
            registry.authenticate(by: .basic(user: "ann", password: "pw"))
            let target = storage.domain
            registry.script { request in
                guard request.path.contains("/blobs/"), request.headers["authorization"] != nil else {
                    return nil
                }
                return Response(status, [("Location", "http://\(target)/bucket/x?signature=abc")])
            }
            let digest = SHA256.digest(content)
            let source = try client.source(domain: registry.domain, path: "app")
            #expect(try await read(source.openBlob(blob(digest, 5000), from: 0)) == content)
            #expect(storage.requests.count == 1)
            #expect(storage.requests.first?.headers["authorization"] == nil)
            #expect(storage.requests.first?.value("signature") == "abc")
        }
        storage.stop()
    }

    @Test func redirectsWithoutEnd() async throws {
        try await withRegistry { registry, client in
            registry.script { request in
                request.path.contains("/blobs/") ? Response(307, [("Location", request.path)]) : nil
            }
            let source = try client.source(domain: registry.domain, path: "app")
            let failure = await failure { _ = try await source.openBlob(blob(SHA256.digest([]), 5), from: 0) }
            #expect(failure.code == .unavailable)
            #expect(failure.message == "\(registry.domain) redirects more than 5 times")
        }
    }

    @Test func triedLogins() async throws {
        try await withRegistry { registry, client in
            registry.authenticate(by: .basic(user: "ann", password: "pw"))
            try await client.checkLogin(registry.domain, .password(user: "ann", password: "pw"))
            let basic = await failure {
                try await client.checkLogin(registry.domain, .password(user: "ann", password: "no"))
            }
            #expect(basic.code == .unauthenticated)
            registry.authenticate(by: .bearer(user: "ann", password: "pw", lifetime: 60))
            try await client.checkLogin(registry.domain, .password(user: "ann", password: "pw"))
            let bearer = await failure {
                try await client.checkLogin(registry.domain, .password(user: "ann", password: "no"))
            }
            #expect(bearer.code == .unauthenticated)
            try await client.ping(registry.domain)
        }
    }

    @Test func brokenFilesAreNamedWhenTheyMatter() async throws {
        let registry = ScriptedRegistry()
        try registry.start()
        registry.addManifest(Array(manifestText.utf8), to: "app", tag: "1")
        let client = RegistryClient(
            quickConfiguration(environment: ["HOME": "/h"], files: ["/h/.docker/config.json": "{"]))
        let reference = Reference(domain: registry.domain, path: "app", tag: "1", digest: nil)
        _ = try await client.resolve(reference)
        registry.authenticate(by: .basic(user: "a", password: "b"))
        let failure = await failure { _ = try await client.resolve(reference) }
        #expect(failure.hint?.hasPrefix("/h/.docker/config.json: not JSON") == true)
        await client.close()
        registry.stop()
    }

    @Test func credentialsDoNotPrintTheirSecrets() {
        let credential = Credential.password(user: "ann", password: "hidden")
        var dumped = ""
        dump(credential, to: &dumped)
        #expect(
            !"\(credential) \(String(reflecting: credential)) \(dumped) \([credential])".contains("hidden"))
    }
}

private typealias Response = ScriptedRegistry.Response
