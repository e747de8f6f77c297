internal import AsyncHTTPClient
internal import Failure
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

/// One request, one answer: proxies, TLS, timeouts. Knows nothing of registries, follows no redirect, retries nothing.
final class HTTPTransport: Sendable {
    private struct State {
        var clients: [ProxyRules.Proxy?: HTTPClient] = [:]
        var certificates: [String: TLSConfiguration] = [:]
        var isClosed = false
    }

    let timeouts: RegistryConfiguration.Timeouts
    private let configuration: RegistryConfiguration
    private let proxies: ProxyRules
    private let group: MultiThreadedEventLoopGroup
    private let state = Mutex(State())

    init(_ configuration: RegistryConfiguration) {
        self.configuration = configuration
        timeouts = configuration.timeouts
        proxies = ProxyRules(environment: configuration.environment)
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(1, configuration.eventLoopThreads))
    }

    /// Ends all connections and the event loop's threads. Called twice it does nothing.
    func close() async {
        let clients: [HTTPClient]? = state.withLock { state in
            guard !state.isClosed else { return nil }
            state.isClosed = true
            defer { state.clients = [:] }
            return Array(state.clients.values)
        }
        guard let clients else { return }
        for client in clients { try? await client.shutdown() }
        try? await group.shutdownGracefully()
    }

    func send(
        _ method: HTTPMethod, _ address: WebAddress, headers: HTTPHeaders, body: HTTPClientRequest.Body?,
        within limit: Duration
    ) async throws(TransportError) -> HTTPClientResponse {
        do {
            let client = try client(for: address)
            var request = HTTPClientRequest(url: address.text)
            request.method = method
            request.headers = headers
            request.headers.replaceOrAdd(name: "User-Agent", value: configuration.userAgent)
            request.body = body
            if address.scheme == .https { request.tlsConfiguration = try tls(for: address) }
            return try await client.execute(request, deadline: .now() + TimeAmount(limit))
        } catch {
            throw TransportError(error, from: address, timeouts: timeouts)
        }
    }

    private func client(for address: WebAddress) throws(Failure) -> HTTPClient {
        let proxy: ProxyRules.Proxy?
        switch proxies.choice(for: address) {
        case .direct: proxy = nil
        case .proxy(let chosen): proxy = chosen
        case .unusable(let variable):
            throw Failure(
                .invalidArgument, "\(variable) does not name a proxy that ctr can use",
                hint: "it takes http://HOST:PORT or socks5://HOST:PORT")
        }
        let client = state.withLock { state -> HTTPClient? in
            guard !state.isClosed else { return nil }
            if let client = state.clients[proxy] { return client }
            let client = makeClient(proxy)
            state.clients[proxy] = client
            return client
        }
        guard let client else { throw Failure(.internal, "the registry client is closed") }
        return client
    }

    private func makeClient(_ proxy: ProxyRules.Proxy?) -> HTTPClient {
        var settings = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: .init(connect: TimeAmount(timeouts.connect)),
            proxy: proxy.map { proxy in
                switch proxy.kind {
                case .http:
                    .server(
                        host: proxy.host, port: proxy.port,
                        authorization: proxy.userInformation.map {
                            .basic(credentials: Base64.encode($0.utf8))
                        })
                case .socks5: .socksServer(host: proxy.host, port: proxy.port)
                }
            })
        // A second connection costs less than HTTP/2's windows on large bodies.
        settings.httpVersion = .http1Only
        // Retries are decided in one place, where the reason is known.
        settings.connectionPool.retryConnectionEstablishment = false
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 16
        let stall = TimeAmount(timeouts.stall)
        let uploadAnswer = TimeAmount(max(timeouts.uploadAnswer, timeouts.answer))
        settings.http1_1ConnectionDebugInitializer = { channel in
            channel.eventLoop.makeCompletedFuture {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(
                    StallDetector(afterReading: stall, afterWriting: uploadAnswer), position: .first)
            }.flatMap {
                // Large reads: a blob comes in pieces of this size at most, and each piece costs a switch of threads.
                channel.setOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 65536, maximum: 262_144))
            }
        }
        return HTTPClient(eventLoopGroupProvider: .shared(group), configuration: settings)
    }

    /// The system's trust, and what `certs.d` has for this host and port.
    private func tls(for address: WebAddress) throws -> TLSConfiguration {
        if let known = state.withLock({ $0.certificates[address.hostAndPort] }) { return known }
        var tls = TLSConfiguration.makeClientConfiguration()
        if configuration.isInsecure(address) { tls.certificateVerification = .none }
        for directory in configuration.certificateDirectories {
            for name in certificateNames(address) {
                try HostCertificates(
                    directory: "\(directory)/\(name)", list: configuration.listDirectory,
                    read: configuration.credentials.readFile
                ).add(to: &tls)
            }
        }
        state.withLock { $0.certificates[address.hostAndPort] = tls }
        return tls
    }

    private func certificateNames(_ address: WebAddress) -> [String] {
        address.port == 443 ? [address.hostAndPort, address.host] : [address.hostAndPort]
    }

    /// Whether the host's administrator has set up certificates for it, so that plain HTTP is not meant.
    func hasCertificates(for address: WebAddress) -> Bool {
        configuration.certificateDirectories.contains { directory in
            certificateNames(address).contains { name in
                let files = (try? configuration.listDirectory("\(directory)/\(name)")) ?? []
                return files.contains { $0.hasSuffix(".crt") || $0.hasSuffix(".cert") }
            }
        }
    }
}

extension TimeAmount {
    init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
}
