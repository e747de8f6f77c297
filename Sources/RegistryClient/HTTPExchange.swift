internal import AsyncHTTPClient
internal import Failure
internal import NIOCore
internal import NIOHTTP1

/// A request until its answer counts: redirects followed, passing troubles waited out. The `Authorization` goes to the
/// origin that it was made for and to no other (distribution-spec, "HTTP redirects").
struct HTTPExchange: Sendable {
    let transport: HTTPTransport
    let retry: RetryPolicy
    var mostRedirects = 5

    struct Answer: Sendable {
        let status: Int
        let headers: HTTPHeaders
        let body: HTTPClientResponse.Body
        /// Where it came from in the end.
        let address: WebAddress
    }

    /// - Parameter body: sent again as a whole where a retry or a redirect asks for it.
    func send(
        _ method: HTTPMethod, _ address: WebAddress, headers: HTTPHeaders, authorization: String?,
        body: [UInt8]? = nil
    ) async throws(Failure) -> Answer {
        var number = 1
        while true {
            var asked: Duration?
            var trouble: Failure?
            var answer: Answer?
            do throws(TransportError) {
                let given = try await follow(
                    method, address, headers: headers, authorization: authorization,
                    body: body.map { .bytes(ByteBuffer(bytes: $0)) }, mayRepeatBody: true,
                    within: body.map { $0.count > 65536 } == true
                        ? transport.timeouts.uploadAnswer : transport.timeouts.answer)
                guard RetryPolicy.isPassing(status: given.status) else { return given }
                answer = given
                asked = RetryPolicy.asked(
                    retryAfter: given.headers.first(name: "Retry-After"),
                    date: given.headers.first(name: "Date"))
            } catch {
                guard error.isPassing else { throw error.failure }
                trouble = error.failure
            }
            number += 1
            guard number <= retry.tries, let pause = retry.pause(beforeTry: number, asked: asked) else {
                if let trouble { throw trouble }
                if let answer { return answer }
                throw Failure(.internal, "a request without an answer")
            }
            if let answer { await discard(answer) }
            do {
                try await Task.sleep(for: pause)
            } catch {
                throw Failure(.interrupted, "interrupted")
            }
        }
    }

    /// One try of a request whose body can be read only once.
    func sendOnce(
        _ method: HTTPMethod, _ address: WebAddress, headers: HTTPHeaders, authorization: String?,
        body: HTTPClientRequest.Body
    ) async throws(TransportError) -> Answer {
        try await follow(
            method, address, headers: headers, authorization: authorization, body: body, mayRepeatBody: false,
            // A large body takes what it takes; the stall detector sees whether it moves.
            within: .seconds(86_400))
    }

    private func follow(
        _ method: HTTPMethod, _ start: WebAddress, headers: HTTPHeaders, authorization: String?,
        body: HTTPClientRequest.Body?, mayRepeatBody: Bool, within limit: Duration
    ) async throws(TransportError) -> Answer {
        var address = start
        var method = method
        var body = body
        for _ in 0...mostRedirects {
            var headers = headers
            if let authorization, address.isSameOrigin(as: start) {
                headers.replaceOrAdd(name: "Authorization", value: authorization)
            }
            let response = try await transport.send(
                method, address, headers: headers, body: body, within: limit)
            let status = Int(response.status.code)
            let answer = Answer(
                status: status, headers: response.headers, body: response.body, address: address)
            guard [301, 302, 303, 307, 308].contains(status),
                let location = response.headers.first(name: "Location")
            else { return answer }
            let next = try HTTPExchange.target(of: location, from: address)
            if method != .GET, method != .HEAD {
                if status == 303 {
                    (method, body) = (.GET, nil)
                } else if body != nil, !mayRepeatBody {
                    throw TransportError(
                        .other,
                        Failure(
                            .unsupported, "\(address.hostAndPort) redirects an upload to \(next.hostAndPort)")
                    )
                }
            }
            await discard(answer)
            address = next
        }
        throw TransportError(
            .other,
            Failure(
                .unavailable, "\(start.hostAndPort) redirects more than \(mostRedirects) times"))
    }

    /// Where a redirect leads; never from https to http.
    static func target(of location: String, from address: WebAddress) throws(TransportError) -> WebAddress {
        guard let next = address.resolving(location) else {
            throw TransportError(
                .other,
                Failure(.unavailable, "\(address.hostAndPort) redirects to an address that cannot be used"))
        }
        if address.scheme == .https, next.scheme == .http {
            throw TransportError(
                .other,
                Failure(
                    .permissionDenied,
                    "\(address.hostAndPort) redirects from https to plain http on \(next.hostAndPort)"))
        }
        return next
    }

    /// A whole small body.
    /// - Throws: `dataLoss` when it is cut, `resourceExhausted` when it is longer than `limit` bytes.
    func collect(_ answer: Answer, upTo limit: Int) async throws(Failure) -> [UInt8] {
        let deadline = ContinuousClock.now + transport.timeouts.answer
        let server = answer.address.hostAndPort
        let tooLong = Failure(
            .resourceExhausted, "\(server) answered more than \(limit / 1024) KiB where less is due")
        let announced = answer.headers.first(name: "Content-Length").flatMap { Int64($0) }
        if let announced, announced > limit { throw tooLong }
        var bytes: [UInt8] = []
        do {
            for try await var buffer in answer.body {
                guard bytes.count + buffer.readableBytes <= limit else { throw tooLong }
                bytes += buffer.readBytes(length: buffer.readableBytes) ?? []
                // Reads are apart by less than the stall limit, so a trickle ends here.
                guard ContinuousClock.now < deadline else {
                    throw Failure(
                        .unavailable, "\(server) did not answer within \(transport.timeouts.answer)")
                }
            }
        } catch {
            let error = TransportError(error, from: answer.address, timeouts: transport.timeouts)
            if error.reason == .cut {
                throw Failure(.dataLoss, "\(server) cut the answer short", cause: error.failure)
            }
            throw error.failure
        }
        return bytes
    }

    /// Reads a body that nobody wants, so that the connection can serve the next request; a long one is not worth it.
    func discard(_ answer: Answer) async {
        _ = try? await collect(answer, upTo: 64 * 1024)
    }
}
