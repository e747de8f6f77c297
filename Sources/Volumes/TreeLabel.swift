package import Failure
import LinuxSystem

/// Gives a tree of the host one SELinux context: `-v …:z` and `:Z`, and ctr's own files.
package enum TreeLabel {
    package static let attribute = "security.selinux"

    /// The source of a bind. Links in the path itself are followed, it is the caller's own; none below it.
    ///
    /// - Parameter home: the caller's, which is refused too.
    /// - Throws: `permissionDenied` for places that must keep their labels.
    package static func set(_ label: String, onSource path: String, home: String?) throws(Failure) {
        let real = try during("label \(path)") { () throws(SystemError) in
            let file = try FileDescriptor.open(path, [.pathOnly])
            return try Directory.readLink("/proc/self/fd/\(file.raw)").shown
        }
        if let name = try SystemPaths.named(by: path) ?? [path, real].first(where: { $0 == home }) {
            throw Failure(
                .permissionDenied, "label \(path): SELinux labels of \(name) are not changed",
                hint: "mount a directory below it, or use --security-opt label=disable without z and Z")
        }
        // Whole, each time: what a container makes has its own categories.
        try set(label, on: real, isKept: false)
    }

    /// A file, or a directory with all that is below it.
    /// - Parameter isKept: nothing is done where the top has the label already.
    package static func set(_ label: String, on path: String, isKept: Bool = true) throws(Failure) {
        let value = Array(label.utf8) + [0]
        try during("label \(path)") { () throws(SystemError) in
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            let parent = try Directory.open(slash == path.startIndex ? "/" : String(path[..<slash]))
            let name = RawPath(Array(path[slash...].utf8.dropFirst()))
            if isKept, try ExtendedAttributes.value(attribute, of: name, in: parent.raw) == value { return }
            if try FileDescriptor.status(name, in: parent.raw).kind == .directory {
                try setBelow(value, name, in: parent.raw)
            }
            // The top last: one that was labelled in part only is labelled again.
            try put(value, name, in: parent.raw)
        }
    }

    /// By descriptors, each directory in its parent, so that no link leads out.
    private static func setBelow(_ value: [UInt8], _ name: RawPath, in parent: Int32) throws(SystemError) {
        let top = try FileDescriptor.open(name, in: parent, [.readOnly, .directory, .noFollow])
        var pending = [RawPath(".")]
        while let path = pending.popLast() {
            let directory = try FileDescriptor.open(
                path, in: top.raw, [.readOnly, .directory, .noFollow], resolve: [.beneath, .noSymlinks])
            for entry in try Directory.entries(of: directory) {
                do throws(SystemError) {
                    if try FileDescriptor.status(entry.name, in: directory.raw).kind == .directory {
                        pending.append(RawPath(path.bytes + [UInt8(ascii: "/")] + entry.name.bytes))
                    }
                    try put(value, entry.name, in: directory.raw)
                } catch {
                    // Somebody removed it meanwhile.
                    guard error.code == .notFound else { throw error }
                }
            }
        }
    }

    /// A file system without labels keeps what it is mounted with.
    private static func put(_ value: [UInt8], _ name: RawPath, in directory: Int32) throws(SystemError) {
        do throws(SystemError) {
            try ExtendedAttributes.set(attribute, value, on: name, in: directory)
        } catch {
            guard error.code == .unsupported else { throw error }
        }
    }
}
