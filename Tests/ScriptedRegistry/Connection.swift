internal import Glibc

/// One client's connection: reads requests one after another, writes what the registry makes of them.
struct Connection {
    let socket: Int32
    private var buffer: [UInt8] = []

    init(socket: Int32) { self.socket = socket }

    mutating func serve(_ answer: (ScriptedRegistry.Request) -> ScriptedRegistry.Response) {
        while let request = readRequest() {
            let response = answer(request)
            guard write(response, head: request.method == "HEAD") else { return }
            if request.headers["connection"]?.lowercased() == "close" { return }
        }
    }

    private mutating func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = recv(socket, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        buffer += chunk[..<count]
        return true
    }

    private mutating func line() -> String? {
        while true {
            if let end = buffer.firstIndex(of: 0x0A) {
                var line = buffer[..<end]
                if line.last == 0x0D { line.removeLast() }
                let text = String(decoding: line, as: UTF8.self)
                buffer.removeSubrange(...end)
                return text
            }
            guard fill() else { return nil }
        }
    }

    private mutating func take(_ count: Int) -> [UInt8]? {
        while buffer.count < count { guard fill() else { return nil } }
        defer { buffer.removeSubrange(..<count) }
        return Array(buffer[..<count])
    }

    private mutating func readRequest() -> ScriptedRegistry.Request? {
        guard let first = line() else { return nil }
        let parts = first.split(separator: " ").map(String.init)
        guard parts.count == 3 else { return nil }
        var headers: [String: String] = [:]
        while let line = line(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { return nil }
            headers[line[..<colon].lowercased()] = String(
                line[line.index(after: colon)...].drop { $0 == " " })
        }
        var body: [UInt8] = []
        if headers["transfer-encoding"] == "chunked" {
            while let size = line().flatMap({ Int($0.prefix { $0 != ";" }, radix: 16) }) {
                guard let chunk = take(size), line() != nil else { return nil }
                if size == 0 { break }
                body += chunk
            }
        } else if let length = headers["content-length"].flatMap({ Int($0) }), length > 0 {
            guard let all = take(length) else { return nil }
            body = all
        }
        let target = parts[1].split(separator: "?", maxSplits: 1).map(String.init)
        let query = target.count > 1 ? Connection.query(target[1]) : []
        return ScriptedRegistry.Request(
            method: parts[0], path: target.first ?? "/", query: query, headers: headers, body: body, count: 0)
    }

    static func query(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (decoded(String(parts[0])), parts.count > 1 ? decoded(String(parts[1])) : "")
        }
    }

    private static func decoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        var rest = Substring(text).utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"),
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the connection can go on.
    private func write(_ response: ScriptedRegistry.Response, head: Bool) -> Bool {
        if response.delay > 0 { usleep(UInt32(response.delay) * 1000) }
        if let raw = response.raw {
            _ = send(raw[...])
            return false
        }
        var text = "HTTP/1.1 \(response.status) Scripted\r\n"
        for (name, value) in response.headers { text += "\(name): \(value)\r\n" }
        if response.isChunked {
            text += "Transfer-Encoding: chunked\r\n"
        } else if response.status != 204 {
            text += "Content-Length: \(response.statedLength ?? response.body.count)\r\n"
        }
        text += "\r\n"
        guard send(Array(text.utf8)[...]) else { return false }
        if head || response.status == 204 { return true }
        let body = response.body[..<min(response.cutAfter ?? .max, response.body.count)]
        if let slow = response.slow {
            var rest = body
            while !rest.isEmpty {
                usleep(UInt32(slow.pause) * 1000)
                guard send(rest.prefix(slow.piece), isChunked: response.isChunked) else { return false }
                rest = rest.dropFirst(slow.piece)
            }
        } else if !body.isEmpty {
            guard send(body, isChunked: response.isChunked) else { return false }
        }
        if response.cutAfter != nil { return false }
        if response.isChunked { return send(Array("0\r\n\r\n".utf8)[...]) }
        return response.statedLength == nil || response.statedLength == response.body.count
    }

    private func send(_ bytes: ArraySlice<UInt8>, isChunked: Bool) -> Bool {
        guard isChunked else { return send(bytes) }
        return send(Array("\(String(bytes.count, radix: 16))\r\n".utf8)[...]) && send(bytes)
            && send(Array("\r\n".utf8)[...])
    }

    private func send(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var sent = 0
            while sent < bytes.count {
                guard let start = bytes.baseAddress else { return true }
                let count = Glibc.send(socket, start + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
                guard count > 0 else { return false }
                sent += count
            }
            return true
        }
    }
}
