internal import Glibc
internal import OCI
internal import Synchronization

extension ScriptedRegistry {
    func answer(_ request: Request) -> Response {
        var request = request
        let script = state.withLock { state in
            let key = "\(request.method) \(request.path)"
            state.counts[key, default: 0] += 1
            request.count = state.counts[key] ?? 1
            state.requests.append(request)
            return state.script
        }
        if let response = script?(request) { return response }
        if request.path == "/token" { return token(request) }
        guard request.path.hasPrefix("/v2/") else { return .error(404, "UNSUPPORTED", "no such page") }
        if let refusal = refusal(request) { return refusal }
        if request.path == "/v2/" { return Response(200, text: "{}") }
        let parts = request.path.dropFirst("/v2/".count).split(separator: "/").map(String.init)
        if let index = parts.lastIndex(of: "blobs"), index > 0 {
            let repository = parts[..<index].joined(separator: "/")
            let rest = Array(parts[(index + 1)...])
            return rest.first == "uploads"
                ? upload(request, repository, rest.dropFirst().first) : blob(request, repository, rest)
        }
        if parts.count > 2, parts[parts.count - 2] == "manifests" {
            return manifest(request, parts.dropLast(2).joined(separator: "/"), parts[parts.count - 1])
        }
        if parts.suffix(2) == ["tags", "list"] {
            return tags(request, parts.dropLast(2).joined(separator: "/"))
        }
        return .error(404, "UNSUPPORTED", "no such page")
    }

    private static var now: Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The scope that a request needs, in the token specification's words.
    private func neededScope(_ request: Request) -> (repository: String, action: String)? {
        let parts = request.path.dropFirst("/v2/".count).split(separator: "/").map(String.init)
        guard let index = parts.lastIndex(where: { ["blobs", "manifests", "tags"].contains($0) }), index > 0
        else { return nil }
        let isRead = request.method == "GET" || request.method == "HEAD"
        return (parts[..<index].joined(separator: "/"), isRead ? "pull" : "push")
    }

    private func refusal(_ request: Request) -> Response? {
        let (authentication, realm, port) = state.withLock { ($0.authentication, $0.tokenRealm, $0.port) }
        let given = request.headers["authorization"]
        switch authentication {
        case .none: return nil
        case .basic(let user, let password):
            if given == "Basic " + Self.base64("\(user):\(password)") { return nil }
            return .error(
                401, "UNAUTHORIZED", "authentication required",
                [("WWW-Authenticate", "Basic realm=\"scripted\"")])
        case .bearer:
            let needed = neededScope(request)
            if let given, given.hasPrefix("Bearer ") {
                let known = state.withLock { $0.tokens[String(given.dropFirst(7))] }
                if let known, known.end > Self.now {
                    guard let needed else { return nil }
                    let allowed = known.scopes.contains { scope in
                        let parts = scope.split(separator: ":").map(String.init)
                        return parts.count == 3 && parts[1] == needed.repository
                            && parts[2].split(separator: ",").contains { $0 == needed.action }
                    }
                    if allowed { return nil }
                }
            }
            var challenge =
                "Bearer realm=\"\(realm ?? "http://127.0.0.1:\(port)/token")\",service=\"scripted, registry\""
            if let needed { challenge += ",scope=\"repository:\(needed.repository):\(needed.action)\"" }
            return .error(401, "UNAUTHORIZED", "authentication required", [("WWW-Authenticate", challenge)])
        }
    }

    /// A token for the scopes that the request names, as `GET` with a login or as OAuth `POST` with `refresh-ok`.
    package func token(_ request: Request) -> Response {
        let authentication = state.withLock { $0.authentication }
        guard case .bearer(let user, let password, let lifetime) = authentication else {
            return Response(404)
        }
        var scopes: Set<String>
        if request.method == "POST" {
            let form = Connection.query(String(decoding: request.body, as: UTF8.self))
            guard form.contains(where: { $0.name == "refresh_token" && $0.value == "refresh-ok" }) else {
                return Response(
                    401, text: #"{"error":"invalid_grant","error_description":"bad refresh token"}"#)
            }
            scopes = Set(
                form.filter { $0.name == "scope" }.flatMap { $0.value.split(separator: " ").map(String.init) }
            )
        } else {
            if let user, let password,
                request.headers["authorization"] != "Basic " + Self.base64("\(user):\(password)")
            {
                return .error(401, "UNAUTHORIZED", "incorrect username or password")
            }
            scopes = Set(request.query.filter { $0.name == "scope" }.map(\.value))
        }
        let token = state.withLock { state in
            state.serial += 1
            let token = "token-\(state.serial)"
            state.tokens[token] = (scopes, Self.now + Double(lifetime))
            return token
        }
        return Response(
            200, [("Content-Type", "application/json")],
            text: #"{"token":"\#(token)","expires_in":\#(lifetime)}"#)
    }

    private func blob(_ request: Request, _ repository: String, _ rest: [String]) -> Response {
        let (bytes, ranges) = state.withLock { state -> ([UInt8]?, Bool) in
            guard let name = rest.first, let digest = try? Digest(name),
                state.links[repository]?.contains(digest) == true
            else { return (nil, true) }
            return (state.blobs[digest], state.servesRanges)
        }
        guard let bytes else { return .error(404, "BLOB_UNKNOWN", "blob unknown to registry") }
        let headers = [("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", rest[0])]
        guard ranges, let range = request.headers["range"], range.hasPrefix("bytes="),
            let first = Int(range.dropFirst(6).prefix { $0 != "-" })
        else { return Response(200, headers.map { (name: $0.0, value: $0.1) }, body: bytes) }
        guard first < bytes.count else { return Response(416) }
        return Response(
            206, [("Content-Range", "bytes \(first)-\(bytes.count - 1)/\(bytes.count)")],
            body: Array(bytes[first...]))
    }

    private func upload(_ request: Request, _ repository: String, _ id: String?) -> Response {
        if request.method == "POST" {
            return state.withLock { state in
                if let mount = request.value("mount").flatMap({ try? Digest($0) }),
                    let from = request.value("from"),
                    state.links[from]?.contains(mount) == true
                {
                    state.links[repository, default: []].insert(mount)
                    return Response(201, [("Location", "/v2/\(repository)/blobs/\(mount)")])
                }
                state.serial += 1
                let id = "upload-\(state.serial)"
                state.uploads[id] = []
                return Response(202, [("Location", "/v2/\(repository)/blobs/uploads/\(id)?_state=s%3D1")])
            }
        }
        return state.withLock { state in
            guard let id, var bytes = state.uploads[id] else {
                return .error(404, "BLOB_UPLOAD_UNKNOWN", "no such upload")
            }
            guard request.value("_state") == "s=1" else {
                return .error(400, "BLOB_UPLOAD_INVALID", "the state is lost")
            }
            let location = ("Location", "/v2/\(repository)/blobs/uploads/\(id)?_state=s%3D1")
            if request.method == "GET" {
                return Response(204, [location, ("Range", "0-\(bytes.count - 1)")])
            }
            if request.method == "PATCH" {
                if let range = request.headers["content-range"],
                    Int(range.prefix { $0 != "-" }) != bytes.count
                {
                    return Response(416, [location, ("Range", "0-\(bytes.count - 1)")])
                }
                state.uploads[id] = bytes + request.body
                return Response(202, [location, ("Range", "0-\(bytes.count + request.body.count - 1)")])
            }
            if !request.body.isEmpty, !state.takesMonolithic { return .error(405, "UNSUPPORTED", "not so") }
            bytes += request.body
            guard let digest = request.value("digest").flatMap({ try? Digest($0) }),
                SHA256.digest(bytes) == digest
            else { return .error(400, "DIGEST_INVALID", "provided digest did not match uploaded content") }
            state.uploads[id] = nil
            state.blobs[digest] = bytes
            state.links[repository, default: []].insert(digest)
            return Response(
                201,
                [
                    ("Docker-Content-Digest", digest.description),
                    ("Location", "/v2/\(repository)/blobs/\(digest)"),
                ])
        }
    }

    /// What the registry itself would make of a chunk: for scripts that let it arrive and lose the answer.
    package func takeChunk(_ request: Request) -> Response {
        let parts = request.path.dropFirst("/v2/".count).split(separator: "/").map(String.init)
        return upload(request, parts.dropLast(3).joined(separator: "/"), parts.last)
    }

    private func manifest(_ request: Request, _ repository: String, _ name: String) -> Response {
        if request.method == "PUT" {
            let digest = addManifest(
                request.body, mediaType: request.headers["content-type"] ?? "", to: repository,
                tag: name.contains(":") ? nil : name)
            return Response(201, [("Docker-Content-Digest", digest.description)])
        }
        return state.withLock { state in
            let digest = state.tags[repository]?[name].map(\.description) ?? name
            guard let manifest = state.manifests["\(repository)@\(digest)"] else {
                let isKnown = state.manifests.keys.contains { $0.hasPrefix("\(repository)@") }
                return isKnown
                    ? .error(404, "MANIFEST_UNKNOWN", "manifest unknown")
                    : .error(404, "NAME_UNKNOWN", "name unknown")
            }
            return Response(
                200, [("Content-Type", manifest.mediaType), ("Docker-Content-Digest", digest)],
                body: manifest.bytes)
        }
    }

    private func tags(_ request: Request, _ repository: String) -> Response {
        let all = state.withLock { ($0.tags[repository] ?? [:]).keys.sorted() }
        guard !all.isEmpty else { return .error(404, "NAME_UNKNOWN", "name unknown") }
        let rest = all.filter { $0 > (request.value("last") ?? "") }
        // Pages of two, whatever was asked for: clients must go by the link.
        let page = rest.prefix(2)
        var response = Response(
            200, [("Content-Type", "application/json")],
            text: #"{"name":"\#(repository)","tags":[\#(page.map { "\"\($0)\"" }.joined(separator: ","))]}"#)
        if rest.count > 2, let last = page.last {
            response.headers.append(("Link", "</v2/\(repository)/tags/list?n=2&last=\(last)>; rel=\"next\""))
        }
        return response
    }

    package static func base64(_ text: String) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let bytes = Array(text.utf8)
        var result = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let value = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            for index in 0..<4 {
                result.append(index <= group.count ? alphabet[value >> (18 - 6 * index) & 63] : "=")
            }
        }
        return result
    }
}
