package import Failure
internal import LinuxSystem

/// The ids that /etc/subuid and /etc/subgid give a user (subuid(5)).
package struct SubordinateIDs: Sendable, Equatable {
    package struct Range: Sendable, Equatable {
        package let start: UInt32
        package let count: UInt32

        package init(start: UInt32, count: UInt32) {
            self.start = start
            self.count = count
        }
    }

    package let ranges: [Range]

    /// - Parameters:
    ///   - text: lines of `USER:START:COUNT`, the user by name or number. Others are passed over.
    package init(_ text: [UInt8], user: String?, uid: UInt32) {
        ranges = text.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
            guard fields.count == 3, fields[0] == user || fields[0] == String(uid),
                let start = UInt32(fields[1]), let count = UInt32(fields[2]), count > 0,
                UInt64(start) + UInt64(count) <= UInt64(UInt32.max)
            else { return nil }
            return Range(start: start, count: count)
        }
    }

    /// What newuidmap(1) takes after the pid: id 0 is the user's own, the subordinate ones follow.
    package func mapping(of own: UInt32) -> [String] {
        var words = ["0", String(own), "1"]
        var next: UInt32 = 1
        for range in ranges {
            words += [String(next), String(range.start), String(range.count)]
            next += range.count
        }
        return words
    }

    package static func read(_ path: String, user: String?, uid: UInt32) -> SubordinateIDs {
        let bytes = (try? AtomicFile.read(path, limit: 1 << 20)) ?? nil
        return SubordinateIDs(bytes ?? [], user: user, uid: uid)
    }
}

extension SubordinateIDs {
    /// Maps the ids of a process's new user namespace by newuidmap(1) and newgidmap(1).
    /// - Parameters:
    ///   - uids: inside, outside and count of each range, as these programs take them.
    /// - Returns: whether there are such programs.
    package static func map(_ pid: Int32, uids: [String], gids: [String]) throws(Failure) -> Bool {
        let path = Process.environmentValue("PATH")
        guard let newuidmap = HelperProgram.find("newuidmap", in: path),
            let newgidmap = HelperProgram.find("newgidmap", in: path)
        else { return false }
        try run(newuidmap, [String(pid)] + uids, "/etc/subuid")
        try run(newgidmap, [String(pid)] + gids, "/etc/subgid")
        return true
    }

    private static func run(_ program: HelperProgram, _ arguments: [String], _ file: String) throws(Failure) {
        let outcome = try program.run(arguments, environment: [], keepsComplaints: true)
        guard outcome.code == 0 else {
            let words = String(decoding: outcome.complaints, as: UTF8.self).split(separator: "\n").first
            throw Failure(
                .permissionDenied, "\(program.path): \(words ?? "it failed")",
                hint: "\(file) and the program's rights must allow it: \"ctr doctor\" tells more")
        }
    }
}

/// The name of a uid by /etc/passwd; nil where it is not there (a directory service may know it).
package enum UserName {
    package static func of(_ uid: UInt32) -> String? {
        guard let bytes = (try? AtomicFile.read("/etc/passwd", limit: 16 << 20)) ?? nil else { return nil }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(
                separator: UInt8(ascii: ":"), maxSplits: 3, omittingEmptySubsequences: false)
            if fields.count > 2, fields[2].elementsEqual(String(uid).utf8) {
                return String(decoding: fields[0], as: UTF8.self)
            }
        }
        return nil
    }
}
