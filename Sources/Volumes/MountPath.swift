import Failure

/// Paths in mount requests, by their text alone.
enum MountPath {
    /// The absolute path without `.`, `..`, double or trailing slashes.
    static func cleaned(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") {
            switch part {
            case ".": continue
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Where in the container something is to be mounted.
    static func target(_ path: String) throws(Failure) -> String {
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw Failure(.invalidArgument, "the path in the container is not absolute: \"\(path)\"")
        }
        try checkBytes(path)
        let target = cleaned(path)
        guard target != "/" else {
            throw Failure(.invalidArgument, "nothing can be mounted at \"/\" of the container")
        }
        return target
    }

    /// A directory or file of the host; `.` and what begins with `./` or `../` is taken from the working directory.
    static func host(_ path: String, workingDirectory: String) throws(Failure) -> String {
        try checkBytes(path)
        if path.utf8.first == UInt8(ascii: "/") { return cleaned(path) }
        guard path == "." || path == ".." || path.hasPrefix("./") || path.hasPrefix("../") else {
            throw Failure(.invalidArgument, "the path on the host is not absolute: \"\(path)\"")
        }
        return cleaned("\(workingDirectory)/\(path)")
    }

    /// Whether a source is a path of the host and not the name of a volume.
    static func isHostPath(_ source: String) -> Bool {
        source.utf8.first == UInt8(ascii: "/") || source == "." || source == ".." || source.hasPrefix("./")
            || source.hasPrefix("../")
    }

    /// A path below a volume's directory: relative, and not out of it.
    static func subpath(_ path: String) throws(Failure) -> String {
        try checkBytes(path)
        guard path.utf8.first != UInt8(ascii: "/"), !path.split(separator: "/").contains("..") else {
            throw Failure(.invalidArgument, "the path in the volume is not below it: \"\(path)\"")
        }
        return String(cleaned(path).dropFirst())
    }

    private static func checkBytes(_ path: String) throws(Failure) {
        guard !path.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
            throw Failure(.invalidArgument, "a control character in the path")
        }
        guard path.utf8.count < 4096 else {
            throw Failure(.invalidArgument, "the path is longer than 4095 bytes")
        }
    }
}
