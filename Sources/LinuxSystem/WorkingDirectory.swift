internal import Glibc

/// The process's working directory; of a program that does one thing and is not asked from threads.
package enum WorkingDirectory {
    package static func enter(_ path: String) throws(SystemError) {
        try call("chdir", path) { Int(chdir(path)) < 0 ? -Int(errno) : 0 }
    }

    /// As it is where the working directory has no path any more.
    package static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let here = try? self.path() else { return path }
        return "\(here)/\(path)"
    }

    /// Absolute.
    package static func path() throws(SystemError) -> String {
        guard let text = getcwd(nil, 0) else { throw SystemError(call: "getcwd", path: nil, errno: errno) }
        defer { free(text) }
        return String(cString: text)
    }
}
