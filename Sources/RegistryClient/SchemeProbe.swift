internal import AsyncHTTPClient
internal import Failure
internal import NIOHTTP1

/// Finds out whether a registry is spoken to over https or plain http. Only loopback hosts and those that the user
/// called insecure may be spoken to plainly; for all others there is nothing to find out, and nothing is sent.
struct SchemeProbe: Sendable {
    let registry: Registry
    let configuration: RegistryConfiguration
    let exchange: HTTPExchange

    func address() async -> Result<WebAddress, Failure> {
        let (plain, secure) = (registry.address(.http), registry.address(.https))
        if configuration.isInsecure(secure) || configuration.isInsecure(plain) {
            return await insecure(plain: plain, secure: secure)
        }
        guard registry.isLoopback, !exchange.transport.hasCertificates(for: secure) else {
            return .success(secure)
        }
        return await loopback(plain: plain, secure: secure)
    }

    /// Plain HTTP first: it is what nearly all loopback registries speak, and a server of plain HTTP may answer a TLS
    /// greeting with silence, while one of TLS answers a plain request at once, by 400 or by hanging up.
    private func loopback(plain: WebAddress, secure: WebAddress) async -> Result<WebAddress, Failure> {
        switch await ping(plain) {
        case .answered(let status) where status != 400: return .success(plain)
        case .failed(let error) where error.reason == .refused || error.reason == .timedOut:
            return .failure(error.failure)
        case .answered, .failed:
            switch await ping(secure) {
            case .answered: return .success(secure)
            // It does speak TLS: going back to plain HTTP would be to no one's good.
            case .failed(let error) where error.reason == .untrusted: return .failure(error.failure)
            case .failed: return .success(plain)
            }
        }
    }

    /// https with any certificate, unless plain HTTP answers and https has not within a third of a second.
    private func insecure(plain: WebAddress, secure: WebAddress) async -> Result<WebAddress, Failure> {
        await withTaskGroup(of: (WebAddress.Scheme, Outcome).self) { group in
            group.addTask { (.https, await ping(secure)) }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(300))
                return (.http, await ping(plain))
            }
            var failure: Failure?
            for await (scheme, outcome) in group {
                switch outcome {
                case .answered(let status) where scheme == .https || status != 400:
                    group.cancelAll()
                    return .success(scheme == .https ? secure : plain)
                case .failed(let error) where scheme == .http || failure == nil: failure = error.failure
                default: break
                }
            }
            return .failure(failure ?? Failure(.unavailable, "\(plain.hostAndPort) cannot be reached"))
        }
    }

    private enum Outcome: Sendable {
        case answered(Int)
        case failed(TransportError)
    }

    private func ping(_ address: WebAddress) async -> Outcome {
        do throws(TransportError) {
            let limit = exchange.transport.timeouts.connect
            let response = try await exchange.transport.send(
                .GET, address, headers: [:], body: nil, within: limit)
            return .answered(Int(response.status.code))
        } catch {
            return .failed(error)
        }
    }
}
