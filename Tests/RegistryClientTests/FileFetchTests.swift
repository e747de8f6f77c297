import Failure
import OCI
import ScriptedRegistry
import Synchronization
import Testing

@testable import RegistryClient

private typealias Response = ScriptedRegistry.Response
private typealias Request = ScriptedRegistry.Request

/// A web server of one script, a fetch and what was written.
private func withServer<Value>(
    _ configuration: RegistryConfiguration = quickConfiguration(),
    _ script: @escaping @Sendable (Request) -> Response?,
    _ body: (ScriptedRegistry, FileFetch, MemorySink) async throws -> Value
) async throws -> Value {
    let server = ScriptedRegistry()
    try server.start()
    server.script { script($0) ?? Response(404) }
    let fetch = FileFetch(configuration)
    do {
        let value = try await body(server, fetch, MemorySink())
        await fetch.close()
        server.stop()
        return value
    } catch {
        await fetch.close()
        server.stop()
        throw error
    }
}

private final class MemorySink: FileSink {
    private let state = Mutex<(bytes: [UInt8], begun: Int)>(([], 0))

    func begin() throws(Failure) {
        state.withLock {
            $0.bytes = []
            $0.begun += 1
        }
    }

    func write(_ bytes: [UInt8]) throws(Failure) { state.withLock { $0.bytes += bytes } }

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var begun: Int { state.withLock { $0.begun } }
}

@Suite("Files of web servers")
struct FileFetchTests {
    @Test func aFileAndWhatTheServerSaysOfIt() async throws {
        let content = bytes(3_000_000)
        try await withServer { _ in
            Response(
                200,
                [
                    ("ETag", "\"v1\""), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
                    ("Content-Type", "Application/X-Tar; charset=x"),
                ], body: content)
        } _: { server, fetch, sink in
            let file = try await fetch.fetch("http://\(server.domain)/a/b%20c.tar?token=secret", to: sink)
            #expect(sink.bytes == content)
            #expect(file.content == .written(digest: SHA256.digest(content), size: 3_000_000))
            #expect(file.name == "b c.tar")
            #expect(file.etag == "\"v1\"" && file.modified == 784_111_777)
            #expect(file.mediaType == "application/x-tar")
            #expect(file.address == "http://\(server.domain)/a/b%20c.tar")
            #expect(server.requests.first?.headers["authorization"] == nil)
            #expect(server.requests.first?.headers["accept-encoding"] == "identity")
        }
    }

    @Test func redirects() async throws {
        try await withServer { request in
            if request.path.hasPrefix("/hop/") {
                let number = Int(request.path.dropFirst(5)) ?? 0
                return Response(302, [("Location", number == 1 ? "../x/./end.txt" : "\(number - 1)")])
            }
            return request.path == "/x/end.txt" ? Response(200, text: "end") : nil
        } _: { server, fetch, sink in
            let base = "http://\(server.domain)"
            let file = try await fetch.fetch("\(base)/hop/10", to: sink)
            #expect(sink.bytes == Array("end".utf8))
            #expect(file.address == "\(base)/x/end.txt")
            #expect(file.name == "10")
            let failure = await failure { _ = try await fetch.fetch("\(base)/hop/11", to: sink) }
            #expect(failure.message == "\(base)/hop/11: \(server.domain) redirects more than 10 times")
        }
    }

    @Test func neverFromHTTPSToHTTP() async throws {
        let secure = try #require(WebAddress("https://example.org/a"))
        let error = #expect(throws: TransportError.self) {
            try HTTPExchange.target(of: "http://example.org/b", from: secure)
        }
        #expect(error?.failure.code == .permissionDenied)
        #expect(
            error?.failure.message
                == "example.org:443 redirects from https to plain http on example.org:80")
        #expect(try HTTPExchange.target(of: "//example.org/b", from: secure).scheme == .https)
        let plain = try #require(WebAddress("http://example.org/a"))
        #expect(try HTTPExchange.target(of: "https://example.org/b", from: plain).scheme == .https)
        try await withServer { _ in
            Response(302, [("Location", "ftp://example.org/a")])
        } _: {
            server, fetch, sink in
            let failure = await failure {
                _ = try await fetch.fetch("http://\(server.domain)/a", to: sink)
            }
            #expect(failure.message.hasSuffix("redirects to an address that cannot be used"))
        }
    }

    @Test func aLoginGoesToItsOwnOriginOnly() async throws {
        try await withServer { _ in
            Response(200, text: "other")
        } _: { other, _, _ in
            let away = "http://\(other.domain)/away"
            try await withServer { request in
                request.path == "/start"
                    ? Response(302, [("Location", "/near")]) : Response(302, [("Location", away)])
            } _: { server, fetch, sink in
                let file = try await fetch.fetch("http://ann:p%40w@\(server.domain)/start", to: sink)
                #expect(sink.bytes == Array("other".utf8))
                #expect(file.name == "start")
                let login = "Basic " + ScriptedRegistry.base64("ann:p@w")
                #expect(server.requests.map { $0.headers["authorization"] } == [login, login])
                #expect(other.requests.map { $0.headers["authorization"] } == [nil])
            }
        }
    }

    @Test(arguments: [
        (404, Failure.Code.notFound), (410, .notFound), (401, .unauthenticated), (403, .permissionDenied),
        (418, .unsupported), (503, .unavailable),
    ])
    func refusals(_ status: Int, _ code: Failure.Code) async throws {
        try await withServer { _ in
            Response(status, text: "<html>")
        } _: { server, fetch, sink in
            let address = "http://ann:secret@\(server.domain)/a?token=secret"
            let failure = await failure { _ = try await fetch.fetch(address, to: sink) }
            #expect(failure.code == code)
            #expect(
                failure.message.hasPrefix("http://\(server.domain)/a: \(server.domain) answered \(status)"))
            #expect(!failure.message.contains("secret"))
            #expect(sink.begun == 0)
            #expect(server.requests.count == (status == 503 ? 3 : 1))
        }
    }

    @Test func aCutBodyIsContinued() async throws {
        let content = bytes(200_000)
        try await withServer { request in
            if let range = request.headers["range"] {
                guard request.headers["if-range"] == "\"v1\"",
                    let start = Int(range.dropFirst(6).prefix { $0 != "-" })
                else { return Response(400) }
                return Response(
                    206, [("Content-Range", "bytes \(start)-199999/200000"), ("ETag", "\"v1\"")],
                    body: Array(content[start...]))
            }
            var response = Response(200, [("ETag", "\"v1\"")], body: content)
            response.cutAfter = 70_000
            return response
        } _: { server, fetch, sink in
            let file = try await fetch.fetch("http://\(server.domain)/a", to: sink)
            #expect(sink.bytes == content && sink.begun == 1)
            #expect(file.content == .written(digest: SHA256.digest(content), size: 200_000))
            #expect(server.requests.last?.headers["range"] != nil)
        }
    }

    @Test func aCutBodyIsBegunAnewWhereNothingNamesIt() async throws {
        let content = bytes(200_000)
        try await withServer { request in
            var response = Response(200, [("ETag", "W/\"v1\"")], body: content)
            if request.count == 1 { response.cutAfter = 70_000 }
            return response
        } _: { server, fetch, sink in
            let file = try await fetch.fetch("http://\(server.domain)/a", to: sink)
            #expect(sink.bytes == content && sink.begun == 2)
            #expect(file.content == .written(digest: SHA256.digest(content), size: 200_000))
            #expect(server.requests.last?.headers["range"] == nil)
        }
    }

    /// Another file by now: its server answers all of it.
    @Test func aFileThatChangedMeanwhile() async throws {
        let (old, new) = (bytes(100_000), bytes(120_000, seed: 2))
        try await withServer { request in
            guard request.count == 1 else { return Response(200, [("ETag", "\"v2\"")], body: new) }
            var response = Response(200, [("ETag", "\"v1\"")], body: old)
            response.cutAfter = 50_000
            return response
        } _: { server, fetch, sink in
            let file = try await fetch.fetch("http://\(server.domain)/a", to: sink)
            #expect(sink.bytes == new)
            #expect(file.content == .written(digest: SHA256.digest(new), size: 120_000))
            #expect(file.etag == "\"v2\"")
        }
    }

    @Test func cutForGood() async throws {
        let content = bytes(100_000)
        try await withServer { _ in
            var response = Response(200, body: content)
            response.cutAfter = 50_000
            return response
        } _: { server, fetch, sink in
            let failure = await failure { _ = try await fetch.fetch("http://\(server.domain)/a", to: sink) }
            #expect(failure.code == .dataLoss)
            #expect(failure.message.contains("cut the file after"))
            #expect(server.requests.count == 3)
        }
    }

    @Test func silenceAndChunks() async throws {
        try await withServer(impatientConfiguration()) { request in
            var response = Response(200, body: bytes(4000))
            response.isChunked = true
            if request.path == "/slow" { response.slow = (1000, 60_000) } else { response.slow = (1000, 50) }
            return response
        } _: { server, fetch, sink in
            let file = try await fetch.fetch("http://\(server.domain)/fine", to: sink)
            #expect(file.content == .written(digest: SHA256.digest(bytes(4000)), size: 4000))
            let failure = await failure {
                _ = try await fetch.fetch("http://\(server.domain)/slow", to: sink)
            }
            #expect(failure.code == .unavailable)
            #expect(failure.message.contains("has sent nothing for 0.4 seconds"))
        }
    }

    @Test func nothingHasChanged() async throws {
        try await withServer { request in
            request.headers["if-none-match"] == "\"v1\""
                ? Response(304, [("ETag", "\"v1\"")]) : Response(200, [("ETag", "\"v1\"")], text: "text")
        } _: { server, fetch, sink in
            let same = try await fetch.fetch("http://\(server.domain)/a", to: sink, etag: "\"v1\"")
            #expect(same.content == .unchanged && same.etag == "\"v1\"" && sink.begun == 0)
            let other = try await fetch.fetch("http://\(server.domain)/a", to: sink, etag: "W/\"v0\"")
            #expect(other.content == .written(digest: SHA256.digest(Array("text".utf8)), size: 4))
            let failure = await failure {
                _ = try await fetch.fetch("http://\(server.domain)/a", to: sink, etag: "\"a\"\r\nX: y")
            }
            #expect(failure.code == .invalidArgument)
        }
    }

    /// Another's word for "insecure" and the proxies: as registries have them.
    @Test func proxies() async throws {
        let configuration = quickConfiguration(environment: ["HTTP_PROXY": "http://nobody.invalid:1"])
        try await withServer(configuration) { _ in
            Response(200, text: "x")
        } _: { server, fetch, sink in
            _ = try await fetch.fetch("http://\(server.domain)/a", to: sink)
            let failure = await failure { _ = try await fetch.fetch("http://example.invalid/a", to: sink) }
            #expect(failure.code == .unavailable)
            #expect(failure.message.hasPrefix("http://example.invalid/a: "))
        }
    }

    @Test(
        arguments: [
            ("attachment; filename=\"a b.tar\"", "a b.tar"), ("attachment; filename=a.tar", "a.tar"),
            ("attachment; filename=\"../../etc/passwd\"", "passwd"), ("attachment; filename=\"..\"", nil),
            ("attachment; filename=\"a/\"", nil), ("attachment; filename=\"q\\\"x\"", "q\"x"),
            ("attachment; filename=plain; filename*=UTF-8''%e2%82%ac.txt", "€.txt"), ("inline", nil),
            ("attachment; filename*=UTF-8''..%2Fx", "x"), ("attachment; filename=\"a\u{1}b\"", nil),
            ("attachment; filename=", nil), (";;=;filename", nil), ("a; filename=\"open", "open"),
        ] as [(String, String?)])
    func contentDisposition(_ header: String, _ name: String?) {
        #expect(ContentDisposition.fileName(header) == name)
    }

    @Test(
        arguments: [
            ("http://h/a/b", "b"), ("http://h/a/b/", "b"), ("https://h", nil), ("http://h/?q=/x", nil),
            ("http://h/a%2Fb", "b"), ("http://h/%2e%2e", nil), ("HTTP://H/ä b", "ä b"), ("http://h/a#x", "a"),
        ] as [(String, String?)])
    func namesOfAddresses(_ address: String, _ name: String?) throws {
        #expect(try FileAddress(address).name == name)
    }

    @Test(arguments: [
        "", "file:///etc/passwd", "ftp://h/a", "http://", "http:///a", "http://h:x/a", "http://h\n/a", "h/a",
        "http://ann:secret@ho st/a",
    ])
    func addressesThatAreNone(_ address: String) {
        let failure = #expect(throws: Failure.self) { try FileAddress(address) }
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.message.contains("secret") == false)
    }
}
