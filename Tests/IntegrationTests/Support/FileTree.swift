import Foundation
import LinuxSystem
import Testing

/// A directory's files as text, one a line, so that two trees can be compared: path, mode, owner, link target, content,
/// device, hard links, extended attributes. Times only where they are asked for.
enum FileTree {
    static func describe(_ root: String, times: Bool = false) throws -> [String: String] {
        var found: [String: String] = [:]
        var firstNames: [UInt64: String] = [:]
        try walk(root, "", times, &found, &firstNames)
        return found
    }

    private static func walk(
        _ root: String, _ path: String, _ times: Bool, _ found: inout [String: String],
        _ firstNames: inout [UInt64: String]
    ) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: root + path).sorted() {
            let own = "\(path)/\(name)"
            var status = stat()
            guard lstat(root + own, &status) == 0 else { throw TestFailure("lstat \(own): errno \(errno)") }
            var text = "\(String(status.st_mode, radix: 8)) \(status.st_uid):\(status.st_gid)"
            switch status.st_mode & S_IFMT {
            case S_IFLNK:
                text += " -> \(try FileManager.default.destinationOfSymbolicLink(atPath: root + own))"
            case S_IFREG:
                let bytes = FileManager.default.contents(atPath: root + own) ?? Data()
                text += " \(bytes.count) bytes \(fingerprint(bytes))"
                if status.st_nlink > 1 {
                    let first = firstNames[UInt64(status.st_ino)] ?? own
                    firstNames[UInt64(status.st_ino)] = first
                    text += " linked to \(first)"
                }
            case S_IFCHR, S_IFBLK: text += " device \(status.st_rdev)"
            default: break
            }
            if times { text += " at \(status.st_mtim.tv_sec).\(status.st_mtim.tv_nsec)" }
            for (key, value) in try attributes(root + own) { text += " \(key)=\(value)" }
            found[own] = text
            if status.st_mode & S_IFMT == S_IFDIR { try walk(root, own, times, &found, &firstNames) }
        }
    }

    /// Names and values in hexadecimal digits, sorted.
    private static func attributes(_ path: String) throws -> [(String, String)] {
        let parent = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw TestFailure("open the parent of \(path): errno \(errno)") }
        defer { close(parent) }
        let name = (path as NSString).lastPathComponent
        return try ExtendedAttributes.names(of: name, in: parent).sorted().map { attribute in
            let value = try ExtendedAttributes.value(attribute, of: name, in: parent) ?? []
            return (attribute, value.map { String($0, radix: 16) }.joined(separator: " "))
        }
    }

    static func setAttribute(_ attribute: String, _ value: String, of path: String) throws {
        let parent = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw TestFailure("open the parent of \(path): errno \(errno)") }
        defer { close(parent) }
        try ExtendedAttributes.set(
            attribute, Array(value.utf8), on: (path as NSString).lastPathComponent, in: parent)
    }

    private static func fingerprint(_ bytes: Data) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return String(hash, radix: 16)
    }

    static func differences(_ one: [String: String], _ other: [String: String]) -> [String: (String, String)]
    {
        var found: [String: (String, String)] = [:]
        for path in Set(one.keys).union(other.keys) where one[path] != other[path] {
            found[path] = (one[path] ?? "-", other[path] ?? "-")
        }
        return found
    }
}
