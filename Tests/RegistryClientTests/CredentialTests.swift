import Failure
import ScriptedRegistry
import Testing

@testable import RegistryClient

@Suite("Credentials")
struct CredentialTests {
    private func file(_ text: String) throws -> CredentialFile { try CredentialFile(Array(text.utf8)) }

    private func auth(_ text: String) -> String { ScriptedRegistry.base64(text) }

    @Test func longestKeyWins() throws {
        let file = try file(
            """
            {"auths":{"r.io":{"auth":"\(auth("host:1"))"},"r.io/team":{"auth":"\(auth("team:2"))"},
              "r.io/team/app":{"auth":"\(auth("app:3:with:colons"))"},"r.io:5000":{"auth":"\(auth("port:4"))"},
              "https://url.io/v1/":{"auth":"\(auth("url:5"))"},"empty.io":{},"r.io/teamwork":{"auth":"\(auth("x:6"))"}}}
            """)
        func found(_ registry: String, _ repository: String) -> Credential? {
            file.credential(registry: registry, repository: repository)
        }
        #expect(found("r.io", "other") == .password(user: "host", password: "1"))
        #expect(found("r.io", "team/x") == .password(user: "team", password: "2"))
        #expect(found("r.io", "team/app") == .password(user: "app", password: "3:with:colons"))
        #expect(found("r.io", "team/app/below") == .password(user: "app", password: "3:with:colons"))
        #expect(found("r.io:5000", "team/app") == .password(user: "port", password: "4"))
        #expect(found("url.io", "a") == .password(user: "url", password: "5"))
        #expect(found("empty.io", "a") == nil)
        #expect(found("nobody.io", "a") == nil)
    }

    @Test(arguments: ["https://index.docker.io/v1/", "docker.io", "index.docker.io", "registry-1.docker.io"])
    func hubHasManyNames(key: String) throws {
        let file = try file(#"{"auths":{"\#(key)":{"auth":"\#(auth("ann:pw"))"}}}"#)
        #expect(
            file.credential(registry: "docker.io", repository: "library/x")
                == .password(user: "ann", password: "pw"))
    }

    @Test func kindsOfEntries() throws {
        let file = try file(
            """
            {"auths":{"a":{"username":"u","password":"p"},"b":{"identitytoken":"t","auth":"\(auth("<token>:"))"},
              "c":{"registrytoken":"r"},"d":{"auth":"\(auth("u:padded\0\0"))"},"e":{"auth":"!!"},"f":{"auth":"\(auth("nocolon"))"},
              "g":"text"}}
            """)
        #expect(file.credential(registry: "a", repository: "") == .password(user: "u", password: "p"))
        #expect(file.credential(registry: "b", repository: "") == .identityToken("t"))
        #expect(file.credential(registry: "c", repository: "") == .registryToken("r"))
        #expect(file.credential(registry: "d", repository: "") == .password(user: "u", password: "padded"))
        for name in ["e", "f", "g"] { #expect(file.credential(registry: name, repository: "") == nil) }
    }

    @Test func loginAndLogoutKeepTheRest() throws {
        let before =
            #"{"HttpHeaders":{"X":"1"},"auths":{"old.io":{"auth":"b2xkOnA="}},"credHelpers":{"h.io":"x"},"n":1e400}"#
        let added = try file(before).adding("docker.io", .password(user: "ann", password: "päss"))
        #expect(
            String(decoding: added, as: UTF8.self) == """
                {
                \t"HttpHeaders": {
                \t\t"X": "1"
                \t},
                \t"auths": {
                \t\t"old.io": {
                \t\t\t"auth": "b2xkOnA="
                \t\t},
                \t\t"https://index.docker.io/v1/": {
                \t\t\t"auth": "\(auth("ann:päss"))"
                \t\t}
                \t},
                \t"credHelpers": {
                \t\t"h.io": "x"
                \t},
                \t"n": 1e400
                }

                """)
        let back = try CredentialFile(added)
        #expect(
            back.credential(registry: "docker.io", repository: "a")
                == .password(user: "ann", password: "päss"))
        let removed = try #require(back.removing("docker.io"))
        #expect(try JSON(parsing: removed) == JSON(parsing: Array(before.utf8)))
        #expect(try CredentialFile(removed).removing("docker.io") == nil)
        #expect(CredentialFile().removing("a") == nil)
        let other = try CredentialFile(CredentialFile().adding("r.io", .identityToken("t")))
        #expect(other.credential(registry: "r.io", repository: "a") == .identityToken("t"))
        // An older spelling gives way.
        let spelled = try file(#"{"auths":{"https://r.io/v1/":{"auth":"YTpi"},"r.io/ns":{"auth":"YTpi"}}}"#)
        #expect(
            try CredentialFile(spelled.adding("r.io", .password(user: "n", password: "n"))).registries
                == ["r.io/ns", "r.io"])
    }

    @Test(arguments: ["[]", "3", "{", "\"x\""])
    func filesThatAreNone(text: String) {
        #expect(throws: Failure.self) { try file(text) }
    }

    @Test func emptyFilesAreFine() throws {
        #expect(try file("").registries.isEmpty)
        #expect(try file(" \n").registries.isEmpty)
        #expect(try file(#"{"auths":null}"#).registries.isEmpty)
        let added = try file(#"{"auths":null}"#).adding("r.io", .password(user: "a", password: "b"))
        #expect(try CredentialFile(added).registries == ["r.io"])
    }

    @Test func orderOfFiles() async throws {
        func lookup(_ environment: [String: String], _ files: [String]) async -> String? {
            let lookup = CredentialLookup(
                environment: environment, userID: 1000,
                readFile: { path throws(Failure) in
                    files.contains(path)
                        ? Array(#"{"auths":{"r.io":{"username":"\#(path)","password":"p"}}}"#.utf8) : nil
                },
                runHelper: { program, _, _ async throws(Failure) in throw Failure(.notFound, program) })
            guard
                case .password(let user, _) = await lookup.credential(registry: "r.io", repository: "a")
                    .credential
            else { return nil }
            return user
        }
        let all = [
            "/docker/config.json", "/home/a/.docker/config.json", "/given.json",
            "/run/user/7/containers/auth.json",
            "/run/containers/1000/auth.json", "/home/a/.config/containers/auth.json",
            "/xdg/containers/auth.json",
        ]
        let home = ["HOME": "/home/a"]
        #expect(await lookup(home, all) == "/home/a/.docker/config.json")
        #expect(await lookup(home.merging(["DOCKER_CONFIG": "/docker"]) { $1 }, all) == "/docker/config.json")
        #expect(
            await lookup(home.merging(["REGISTRY_AUTH_FILE": "/given.json"]) { $1 }, all) == "/given.json")
        #expect(
            await lookup(
                home.merging(["DOCKER_AUTH_CONFIG": #"{"auths":{"r.io":{"username":"env","password":"p"}}}"#])
                { $1 }, all)
                == "env")
        let podman = Array(all[3...])
        #expect(
            await lookup(home.merging(["XDG_RUNTIME_DIR": "/run/user/7"]) { $1 }, podman)
                == "/run/user/7/containers/auth.json")
        #expect(await lookup(home, podman) == "/run/containers/1000/auth.json")
        #expect(await lookup(home, Array(all[5...])) == "/home/a/.config/containers/auth.json")
        #expect(
            await lookup(home.merging(["XDG_CONFIG_HOME": "/xdg"]) { $1 }, Array(all[5...]))
                == "/xdg/containers/auth.json")
        #expect(await lookup([:], ["/other"]) == nil)
    }

    @Test func helpers() async throws {
        func result(
            _ config: String, _ answer: @escaping @Sendable (String, String, String) throws(Failure) -> String
        ) async
            -> CredentialLookup.Result
        {
            await CredentialLookup(
                environment: ["HOME": "/h"], userID: 0,
                readFile: { path throws(Failure) in
                    path == "/h/.docker/config.json" ? Array(config.utf8) : nil
                },
                runHelper: { program, verb, input async throws(Failure) in
                    Array(try answer(program, verb, String(decoding: input, as: UTF8.self)).utf8)
                }
            ).credential(registry: "docker.io", repository: "library/a")
        }
        let store = await result(#"{"credsStore":"secretservice"}"#) { program, verb, input throws(Failure) in
            #expect(program == "docker-credential-secretservice")
            #expect(verb == "get")
            #expect(input == "https://index.docker.io/v1/")
            return #"{"ServerURL":"x","Username":"ann","Secret":"pw"}"#
        }
        #expect(store.credential == .password(user: "ann", password: "pw"))
        let token = await result(#"{"credsStore":"no","credHelpers":{"docker.io":"yes"}}"#) {
            program, _, _ throws(Failure) in
            #expect(program == "docker-credential-yes")
            return #"{"Username":"<token>","Secret":"t"}"#
        }
        #expect(token.credential == .identityToken("t"))
        let unknown = await result(
            #"{"credsStore":"x","auths":{"docker.io":{"username":"f","password":"p"}}}"#
        ) {
            _, _, _ throws(Failure) in throw Failure(.notFound, "credentials not found")
        }
        #expect(unknown.credential == .password(user: "f", password: "p"))
        #expect(unknown.obstacles.isEmpty)
        let broken = await result(#"{"credsStore":"desktop"}"#) { program, _, _ throws(Failure) in
            throw Failure(.unavailable, "\(program) is not installed")
        }
        #expect(broken.credential == nil)
        #expect(
            broken.obstacles.map(\.message) == [
                "/h/.docker/config.json: docker-credential-desktop is not installed"
            ])
        let path = await result(#"{"credsStore":"../../bin/evil"}"#) { _, _, _ throws(Failure) in
            Issue.record("a path was run")
            return ""
        }
        #expect(path.obstacles.first?.code == .invalidArgument)
        let rubbish = await result(#"{"credsStore":"x"}"#) { _, _, _ throws(Failure) in "segfault" }
        #expect(rubbish.obstacles.count == 1)
        let input = try JSON(
            parsing: #require(CredentialHelper.storeInput("docker.io", .password(user: "a", password: "b"))))
        #expect(input["ServerURL"]?.text == "https://index.docker.io/v1/")
        #expect(input["Secret"]?.text == "b")
    }
}
