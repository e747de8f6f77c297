internal import AsyncHTTPClient
internal import Failure
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

/// Why no answer, or no whole answer, came: a class to decide on, and the line for a person.
struct TransportError: Error {
    enum Reason {
        case refused, unresolved, timedOut, stalled, cut, notHTTP, untrusted, cancelled, local, other
    }

    var reason: Reason
    var failure: Failure

    /// Whether the same request may do better in a moment. A refused connection, an unknown host and a silent server
    /// will not, and a person waits.
    var isPassing: Bool { reason == .cut }

    init(_ error: any Error, from address: WebAddress, timeouts: RegistryConfiguration.Timeouts) {
        let server = address.hostAndPort
        func end(_ reason: Reason, _ text: String, hint: String? = nil) {
            self.reason = reason
            failure = Failure(.unavailable, "\(server) \(text)", hint: hint, cause: error)
        }
        reason = .other
        failure = Failure(.unavailable, "\(server) cannot be reached", cause: error)
        switch error {
        case let error as TransportError: self = error
        case let error as Failure: (reason, failure) = (.local, error)
        case is CancellationError: (reason, failure) = (.cancelled, Failure(.interrupted, "interrupted"))
        case let error as StallDetector.Stalled:
            end(.stalled, "has sent nothing for \(TransportError.seconds(error.limit.nanoseconds))")
        case let error as HTTPClientError:
            switch error {
            case .cancelled: (reason, failure) = (.cancelled, Failure(.interrupted, "interrupted"))
            case .connectTimeout, .getConnectionFromPoolTimeout, .tlsHandshakeTimeout,
                .httpProxyHandshakeTimeout, .socksHandshakeTimeout:
                end(.timedOut, "did not answer within \(timeouts.connect)")
            case .deadlineExceeded, .readTimeout, .writeTimeout:
                end(.timedOut, "did not answer within \(timeouts.answer)")
            case .remoteConnectionClosed, .uncleanShutdown: end(.cut, "closed the connection")
            case .proxyAuthenticationRequired: end(.other, "cannot be reached: the proxy wants a login")
            case .invalidProxyResponse: end(.other, "cannot be reached: the proxy refused")
            default: end(.other, "cannot be reached: \(error.shortDescription)")
            }
        case let error as NIOConnectionError: connection(error, server: server)
        case is HTTPParserError:
            let isCut = error as? HTTPParserError == .invalidEOFState
            if isCut {
                end(.cut, "cut the answer short")
            } else {
                end(.notHTTP, "answered something that is not HTTP")
            }
        case let error as IOError: number(error, server: server)
        case let error as NIOSSLError: tls("\(error)", cause: error, address: address)
        case let error as BoringSSLError: tls("\(error)", cause: error, address: address)
        case let error as NIOSSLExtraError: tls("\(error)", cause: error, address: address)
        case let error as ChannelError:
            switch error {
            case .connectTimeout: end(.timedOut, "did not answer within \(timeouts.connect)")
            default: end(.cut, "closed the connection")
            }
        default: break
        }
    }

    /// A failure of the body's own making, such as too many bytes.
    init(_ reason: Reason, _ failure: Failure) {
        self.reason = reason
        self.failure = failure
    }

    private mutating func connection(_ error: NIOConnectionError, server: String) {
        if let first = error.connectionErrors.first?.error {
            if let system = first as? IOError {
                number(system, server: server)
            } else if case .connectTimeout? = first as? ChannelError {
                reason = .timedOut
                failure = Failure(.unavailable, "\(server) did not answer in time", cause: error)
            }
        } else if error.dnsAError != nil || error.dnsAAAAError != nil {
            reason = .unresolved
            failure = Failure(
                .unavailable, "\(server) cannot be reached: the host's name is unknown",
                hint: "check the name, and this host's /etc/resolv.conf", cause: error)
        }
    }

    private mutating func number(_ error: IOError, server: String) {
        // Linux' numbers, the same on x86_64 and aarch64: 32 EPIPE, 101 ENETUNREACH, 103 ECONNABORTED, 104 ECONNRESET,
        // 110 ETIMEDOUT, 111 ECONNREFUSED, 113 EHOSTUNREACH (asm-generic/errno.h).
        let text: String
        switch error.errnoCode {
        case 111: (reason, text) = (.refused, "cannot be reached: connection refused")
        case 101, 113: (reason, text) = (.refused, "cannot be reached: no route to host")
        case 110: (reason, text) = (.timedOut, "did not answer in time")
        case 32, 103, 104: (reason, text) = (.cut, "cut the connection")
        default: (reason, text) = (.other, "cannot be reached: error \(error.errnoCode)")
        }
        failure = Failure(.unavailable, "\(server) \(text)", cause: error)
    }

    private mutating func tls(_ description: String, cause: any Error, address: WebAddress) {
        let server = address.hostAndPort
        reason = .untrusted
        if description.contains("CERTIFICATE_VERIFY_FAILED")
            || description.contains("unableToValidateCertificate")
        {
            let port = address.port == 443 ? "" : ":\(address.port)"
            failure = Failure(
                .unavailable, "\(server) has a certificate that this host does not trust",
                hint:
                    "put its authority's certificate into /etc/docker/certs.d/\(address.host)\(port)/ca.crt",
                cause: cause)
        } else if description.contains("failedToValidateHostname") {
            failure = Failure(.unavailable, "\(server) has a certificate for another host", cause: cause)
        } else if description.contains("WRONG_VERSION_NUMBER") || description.contains("HTTP_REQUEST") {
            reason = .notHTTP
            failure = Failure(
                .unavailable, "\(server) does not speak TLS",
                hint: "if it is a registry over plain HTTP, name it as an insecure one", cause: cause)
        } else if description.contains("uncleanShutdown") {
            reason = .cut
            failure = Failure(.unavailable, "\(server) cut the connection", cause: cause)
        } else {
            failure = Failure(.unavailable, "\(server): the TLS handshake failed", cause: cause)
        }
    }

    static func seconds(_ nanoseconds: Int64) -> String {
        nanoseconds % 1_000_000_000 == 0
            ? "\(nanoseconds / 1_000_000_000) seconds" : "\(Double(nanoseconds) / 1e9) seconds"
    }
}
