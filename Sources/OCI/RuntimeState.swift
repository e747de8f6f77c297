package import Failure

/// runtime-spec runtime.md, "State": what `state` prints and hooks get on their standard input.
package struct RuntimeState: Hashable, Sendable, Codable {
    package enum Status: String, Hashable, Sendable, Codable {
        case creating, created, running, stopped
        /// Not the specification's, which allows more; runc's and crun's.
        case paused
    }

    package var ociVersion: String
    package var id: String
    package var status: Status
    /// As the runtime sees it; required while created or running.
    package var pid: Int32?
    /// Absolute.
    package var bundle: String
    package var annotations: [String: String]?

    package init(
        id: String, status: Status, pid: Int32? = nil, bundle: String, annotations: [String: String]? = nil
    ) {
        ociVersion = RuntimeSpec.version
        self.id = id
        self.status = status
        self.pid = pid
        self.bundle = bundle
        self.annotations = annotations
    }

    /// As JSON, before and after the pid, for who learns of that last.
    package func textAroundPID() throws(Failure) -> (String, String) {
        let mark: Int32 = 2_147_483_629
        var state = self
        state.pid = mark
        let text = String(decoding: try JSON.encode(state), as: UTF8.self)
        guard let range = text.firstRange(of: String(mark)) else { return (text, "") }
        return (String(text[..<range.lowerBound]), String(text[range.upperBound...]))
    }

    /// - Throws: `invalidArgument` with the path of the field at fault.
    package init(bytes: [UInt8]) throws(Failure) {
        self = try JSON.decode(RuntimeState.self, from: bytes, as: "state.json")
    }
}
