internal import Glibc
package import OCI
internal import Synchronization

/// A registry on loopback, inside the test's own process: distribution-spec's endpoints over blobs and manifests in
/// memory, and a script that can answer any request in its place. It keeps every request for the test to look at.
package final class ScriptedRegistry: Sendable {
    package enum Authentication: Sendable {
        case none
        case basic(user: String, password: String)
        /// Tokens from `/token` of this registry, of `tokenRealm` if that is set. Without a user anonymous ones are given.
        case bearer(user: String?, password: String?, lifetime: Int)
    }

    struct State {
        var blobs: [Digest: [UInt8]] = [:]
        /// `repository` to the digests that it has.
        var links: [String: Set<Digest>] = [:]
        var manifests: [String: (mediaType: String, bytes: [UInt8])] = [:]
        var tags: [String: [String: Digest]] = [:]
        var uploads: [String: [UInt8]] = [:]
        var authentication = Authentication.none
        var tokenRealm: String?
        /// Token to the scopes it was given for, and when it ends (monotonic seconds).
        var tokens: [String: (scopes: Set<String>, end: Double)] = [:]
        var requests: [Request] = []
        var counts: [String: Int] = [:]
        var script: (@Sendable (Request) -> Response?)?
        var serial = 0
        var listener: Int32 = -1
        var port = 0
        var sockets: Set<Int32> = []
        /// Off for measurements: the digest of an upload is not checked, ranges are not served.
        var servesRanges = true
        var takesMonolithic = true
    }

    let state = Mutex(State())

    package init() {}

    deinit { stop() }

    /// Listens on a free port of 127.0.0.1, which is given back.
    @discardableResult
    package func start() throws -> Int {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw StartFailure(call: "socket", number: errno) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        guard bound else {
            defer { close(listener) }
            throw StartFailure(call: "bind", number: errno)
        }
        let port = Int(UInt16(bigEndian: address.sin_port))
        state.withLock {
            $0.listener = listener
            $0.port = port
        }
        Self.inThread { [weak self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { return }
                _ = fcntl(client, F_SETFD, FD_CLOEXEC)
                guard let self else {
                    close(client)
                    return
                }
                self.state.withLock { _ = $0.sockets.insert(client) }
                Self.inThread { [weak self] in
                    var one: Int32 = 1
                    setsockopt(
                        client, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
                    var connection = Connection(socket: client)
                    connection.serve { self?.answer($0) ?? Response(503) }
                    self?.state.withLock { _ = $0.sockets.remove(client) }
                    close(client)
                }
            }
        }
        return port
    }

    package struct StartFailure: Error {
        let call: String
        let number: Int32
    }

    /// Hangs up on everyone and stops listening.
    package func stop() {
        let (listener, sockets) = state.withLock { state in
            defer { state.listener = -1 }
            return (state.listener, state.sockets)
        }
        for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) }
        if listener >= 0 {
            shutdown(listener, Int32(SHUT_RDWR))
            close(listener)
        }
    }

    /// `127.0.0.1:PORT`
    package var domain: String { "127.0.0.1:\(state.withLock { $0.port })" }

    /// Answers requests in place of the registry; nil leaves one to it.
    package func script(_ script: (@Sendable (Request) -> Response?)?) {
        state.withLock { $0.script = script }
    }

    package func authenticate(by authentication: Authentication, realm: String? = nil) {
        state.withLock {
            $0.authentication = authentication
            $0.tokenRealm = realm
        }
    }

    package func serveRanges(_ on: Bool) { state.withLock { $0.servesRanges = on } }

    package func takeMonolithicUploads(_ on: Bool) { state.withLock { $0.takesMonolithic = on } }

    package var requests: [Request] { state.withLock { $0.requests } }

    package func forgetRequests() {
        state.withLock {
            $0.requests = []
            $0.counts = [:]
        }
    }

    /// All tokens given so far are refused from now on.
    package func forgetTokens() { state.withLock { $0.tokens = [:] } }

    @discardableResult
    package func addBlob(_ bytes: [UInt8], to repository: String) -> Digest {
        let digest = SHA256.digest(bytes)
        addBlob(bytes, as: digest, to: repository)
        return digest
    }

    /// Serves these bytes under a digest that may be another one's.
    package func addBlob(_ bytes: [UInt8], as digest: Digest, to repository: String) {
        state.withLock {
            $0.blobs[digest] = bytes
            $0.links[repository, default: []].insert(digest)
        }
    }

    @discardableResult
    package func addManifest(
        _ bytes: [UInt8], mediaType: String = "application/vnd.oci.image.manifest.v1+json",
        to repository: String,
        tag: String?
    ) -> Digest {
        let digest = SHA256.digest(bytes)
        state.withLock {
            $0.manifests["\(repository)@\(digest)"] = (mediaType, bytes)
            if let tag { $0.tags[repository, default: [:]][tag] = digest }
        }
        return digest
    }

    package func blob(_ digest: Digest) -> [UInt8]? { state.withLock { $0.blobs[digest] } }

    package func hasBlob(_ digest: Digest, in repository: String) -> Bool {
        state.withLock { $0.links[repository]?.contains(digest) ?? false }
    }

    package func manifest(_ repository: String, _ tag: String) -> [UInt8]? {
        state.withLock { state in
            let digest = state.tags[repository]?[tag].map(\.description) ?? tag
            return state.manifests["\(repository)@\(digest)"]?.bytes
        }
    }

    private static func inThread(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body)).toOpaque()
        let failed = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box)
        if failed == 0 { pthread_detach(thread) } else { Unmanaged<Box>.fromOpaque(box).release() }
    }
}
