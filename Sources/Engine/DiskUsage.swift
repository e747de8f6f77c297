package import Failure
internal import LinuxSystem

/// What files take on the disk.
package enum DiskUsage {
    /// Allocated bytes of a tree of ours; a file with several names counts once. What goes meanwhile is left out.
    package static func bytes(below path: String) throws(Failure) -> Int64 {
        var seen: Set<UInt64> = []
        var total: Int64 = 0
        try during("measure \(path)") { () throws(SystemError) in
            do throws(SystemError) {
                try add(try FileDescriptor.open(path, [.readOnly, .directory, .noFollow]), &seen, &total)
            } catch {
                if error.code != .notFound { throw error }
            }
        }
        return total
    }

    private static func add(
        _ directory: borrowing FileDescriptor, _ seen: inout Set<UInt64>, _ total: inout Int64
    ) throws(SystemError) {
        for entry in try Directory.entries(of: directory) {
            guard let status = try? FileDescriptor.status(entry.name, in: directory.raw) else { continue }
            if status.links > 1, status.kind != .directory, !seen.insert(status.inode).inserted { continue }
            total += Int64(status.blocks) * 512
            if status.kind == .directory, let child = try? Directory.open(entry.name, in: directory.raw) {
                try add(child, &seen, &total)
            }
        }
    }
}
