extension ScriptedRegistry {
    /// A request as it came.
    package struct Request: Sendable {
        package var method: String
        /// Without the query, as sent.
        package var path: String
        /// Decoded; several values under one name in their order.
        package var query: [(name: String, value: String)]
        /// Names in lower case.
        package var headers: [String: String]
        package var body: [UInt8]
        /// 1 for the first request of this method and path, and so on.
        package var count: Int

        package func value(_ name: String) -> String? { query.first { $0.name == name }?.value }
    }

    /// An answer, sound or not.
    package struct Response: Sendable {
        package var status: Int
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]
        /// Sent in chunks, without a length.
        package var isChunked = false
        /// Hang up after so many bytes of the body.
        package var cutAfter: Int?
        /// Sent in pieces of this many bytes with this pause (milliseconds) before each.
        package var slow: (piece: Int, pause: Int)?
        /// Milliseconds before the first byte.
        package var delay = 0
        /// Sent instead of everything else, then hang up.
        package var raw: [UInt8]?
        /// Said instead of the body's length.
        package var statedLength: Int?

        package init(_ status: Int, _ headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        package init(_ status: Int, _ headers: [(name: String, value: String)] = [], text: String) {
            self.init(status, headers, body: Array(text.utf8))
        }

        /// A registry's refusal in its own format.
        package static func error(
            _ status: Int, _ code: String, _ message: String, _ headers: [(name: String, value: String)] = []
        ) -> Response {
            Response(
                status, [("Content-Type", "application/json")] + headers,
                text: #"{"errors":[{"code":"\#(code)","message":"\#(message)"}]}"#)
        }

        package static func rubbish(_ text: String) -> Response {
            var response = Response(0)
            response.raw = Array(text.utf8)
            return response
        }
    }
}
