package import Failure

/// `--device /dev/x[:/dev/y][:rwm]`.
package struct DeviceRequest: Equatable, Sendable {
    package let hostPath: String
    package let containerPath: String
    /// Of `r`, `w` and `m`, each once.
    package let access: String

    package static func parse(_ text: String) throws(Failure) -> DeviceRequest {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count <= 3, parts[0].utf8.first == UInt8(ascii: "/"), parts[0].utf8.count > 1 else {
            throw Failure(.invalidArgument, "not of the form /dev/HOST[:/dev/CONTAINER][:rwm]")
        }
        var container = parts[0]
        var access = "rwm"
        if parts.count == 3 {
            container = parts[1]
            access = try checkedAccess(parts[2])
        } else if parts.count == 2 {
            if isAccess(parts[1]) { access = parts[1] } else { container = parts[1] }
        }
        guard container.utf8.first == UInt8(ascii: "/"), container.utf8.count > 1 else {
            throw Failure(.invalidArgument, "the path in the container is not absolute: \"\(container)\"")
        }
        return DeviceRequest(hostPath: parts[0], containerPath: container, access: access)
    }

    private static func isAccess(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { "rwm".utf8.contains($0) }
            && Set(text.utf8).count == text.utf8.count
    }

    private static func checkedAccess(_ text: String) throws(Failure) -> String {
        guard isAccess(text) else {
            throw Failure(.invalidArgument, "the access is of r, w and m, each once, not \"\(text)\"")
        }
        return text
    }
}
