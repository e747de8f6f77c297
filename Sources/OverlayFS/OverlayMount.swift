package import Failure
package import LinuxSystem

/// Makes the mount of a container's or image's root from layers, attached nowhere
/// (Documentation/filesystems/overlayfs.rst).
package struct OverlayMount {
    /// What can be written; without one the mount is read-only. Both directories are on one file system.
    package struct Upper: Sendable {
        package var upper: Int32
        package var work: Int32
        /// Neither an fsync inside nor the unmount writes anything to the disk; whoever keeps the upper directory syncs
        /// it. The work directory cannot be used again.
        package var isVolatile: Bool

        package init(upper: Int32, work: Int32, isVolatile: Bool = false) {
            self.upper = upper
            self.work = work
            self.isVolatile = isVolatile
        }
    }

    /// How the layers are told to the kernel.
    package enum Strategy: String, Sendable, CaseIterable {
        /// `lowerdir+`, `upperdir` and `workdir` by descriptor: Linux 6.13.
        case descriptors
        /// `lowerdir+` by name: Linux 6.8.
        case names
        /// One `lowerdir` for mount(2): before.
        case oneString
    }

    /// What the mount says of extended attributes.
    private struct Marks: Sendable {
        let userXattr: Bool
        let context: String?
    }

    /// The kernel's own limit (OVL_MAX_STACK).
    package static let mostLayers = 500

    /// The layers that show: those under an opaque root do not, and the kernel does not heed that mark.
    package static func visible(_ records: [LayerRecord]) -> Int {
        records.firstIndex(where: \.isRootOpaque).map { $0 + 1 } ?? records.count
    }

    /// - Parameters:
    ///   - layers: roots of layers, top first, at least one; the caller keeps them open for the call.
    ///   - upper: nil for a read-only mount.
    ///   - ids: a user namespace that the owners are seen through; nil: as they are on the disk.
    ///   - context: the SELinux context of all files, whatever they have on the disk.
    ///   - userXattr: overlay's marks as `user.overlay.`, inside a user namespace.
    ///   - strategy: nil for the first that the kernel knows.
    ///   - scratch: a directory of the caller's own on which mounts stand for a moment, in a namespace that nobody else
    ///     sees, where only mount(2) can make it or it goes through a mapping.
    package static func make(
        layers: [Int32], upper: Upper? = nil, ids: Int32? = nil, context: String? = nil,
        userXattr: Bool = UserNamespace.isNested,
        strategy: Strategy? = nil,
        scratch: String
    ) throws(Failure) -> DetachedMount {
        guard let first = layers.first else { throw Failure(.invalidArgument, "an overlay needs a layer") }
        guard layers.count <= mostLayers else {
            throw Failure(
                .unsupported, "the image has \(layers.count) layers, and the kernel takes \(mostLayers)",
                hint: "build the image with fewer layers")
        }
        let marks = Marks(userXattr: userXattr, context: context)
        do throws(SystemError) {
            if layers.count == 1, upper == nil, context == nil {
                let bind = try DetachedMount(bind: "", in: first, recursive: false)
                try bind.set(.readOnly)
                if let ids { try bind.mapIDs(by: ids, recursive: false) }
                return bind
            }
            if ids == nil, let mount = try direct(strategy, layers, upper, marks) { return mount }
            return try staged(layers, upper, ids, scratch) { (layers, upper) throws(SystemError) in
                if ids != nil, let mount = try direct(strategy, layers, upper, marks) { return mount }
                return try mountOnce(layers, upper, marks, scratch)
            }
        } catch {
            throw error.failure("mount an overlay of \(layers.count) layers", hint: hint(error, layers))
        }
    }

    /// - Returns: nil where only mount(2) can.
    private static func direct(
        _ strategy: Strategy?, _ layers: [Int32], _ upper: Upper?, _ marks: Marks
    ) throws(SystemError) -> DetachedMount? {
        if let strategy { return strategy == .oneString ? nil : try make(strategy, layers, upper, marks) }
        do throws(SystemError) {
            return try make(.descriptors, layers, upper, marks)
        } catch {
            // Before 6.5 overlayfs takes no descriptor at all, nor `lowerdir+` (of which the kernel's log would complain
            // at every start).
            if error.isUnsupported { return nil }
            // An unknown parameter or kind of it: which one, the next try says better.
            guard error.isInvalid || error.isNoCall else { throw error }
        }
        do throws(SystemError) {
            return try make(.names, layers, upper, marks)
        } catch {
            guard error.isInvalid || error.isNoCall else { throw error }
        }
        return nil
    }

    // docker's choice: nothing that ties an upper directory to this host's inode numbers.
    private static func fixed(_ marks: Marks) -> [(String, String)] {
        let all = [("index", "off"), ("metacopy", "off"), ("redirect_dir", "off"), ("xino", "off")]
        // The kernel refuses redirect_dir beside userxattr.
        return marks.userXattr ? all.filter { $0.0 != "redirect_dir" && $0.0 != "metacopy" } : all
    }

    private static func make(
        _ strategy: Strategy, _ layers: [Int32], _ upper: Upper?, _ marks: Marks
    ) throws(SystemError) -> DetachedMount {
        var options: [DetachedMount.Option] = fixed(marks).map { .string($0.0, $0.1) }
        if marks.userXattr { options.append(.flag("userxattr")) }
        if let context = marks.context { options.append(.string("context", context)) }
        for layer in layers {
            options.append(
                strategy == .descriptors
                    ? .descriptor("lowerdir+", layer) : .string("lowerdir+", "/proc/self/fd/\(layer)"))
        }
        if let upper {
            for (key, number) in [("upperdir", upper.upper), ("workdir", upper.work)] {
                options.append(
                    strategy == .descriptors
                        ? .descriptor(key, number) : .string(key, "/proc/self/fd/\(number)"))
            }
            if upper.isVolatile { options.append(.flag("volatile")) }
        }
        let mount = try DetachedMount(type: "overlay", source: "overlay", options)
        if upper == nil { try mount.set(.readOnly) }
        return mount
    }

    /// The options for mount(2), which reads a page and cuts what is longer.
    private static func oneString(
        _ layers: [Int32], _ upper: Upper?, _ marks: Marks
    ) throws(SystemError) -> String {
        let lower = layers.map { "/proc/self/fd/\($0)" }.joined(separator: ":")
        var data = "lowerdir=\(lower)"
        if let upper {
            data += ",upperdir=/proc/self/fd/\(upper.upper),workdir=/proc/self/fd/\(upper.work)"
        }
        if upper?.isVolatile == true { data += ",volatile" }
        for (key, value) in fixed(marks) { data += ",\(key)=\(value)" }
        if marks.userXattr { data += ",userxattr" }
        if let context = marks.context { data += ",context=\"\(context)\"" }
        guard data.utf8.count < 4096 else {
            throw SystemError(
                call: "mount", path: "overlay of \(layers.count) layers", errno: Errno.argumentsTooLong)
        }
        return data
    }

    /// mount(2) needs a place, which layers are staged for. What is left is a clone that stands nowhere.
    private static func mountOnce(
        _ layers: [Int32], _ upper: Upper?, _ marks: Marks, _ scratch: String
    ) throws(SystemError) -> DetachedMount {
        try MountTable.mount(
            source: "overlay", target: scratch, type: "overlay", flags: upper == nil ? 1 /* MS_RDONLY */ : 0,
            data: try oneString(layers, upper, marks))
        let clone = try DetachedMount(bind: scratch, recursive: false)
        if upper == nil { try clone.set(.readOnly) }
        return clone
    }

    private static func staged(
        _ layers: [Int32], _ upper: Upper?, _ ids: Int32?, _ scratch: String,
        _ body: @escaping @Sendable ([Int32], Upper?) throws(SystemError) -> DetachedMount
    ) throws(SystemError) -> DetachedMount {
        let outcome = Outcome()
        try Thread("ctr-mount") {
            do throws(SystemError) {
                let staged = try StagedLayers(layers, upper, ids: ids, scratch: scratch)
                outcome.mount = try body(staged.layers.map(\.raw), staged.upper)
                withExtendedLifetime(staged) {}
            } catch {
                outcome.error = error
            }
        }.join()
        if let error = outcome.error { throw error }
        guard let mount = outcome.mount.take() else {
            preconditionFailure("a thread ended without an answer")
        }
        return mount
    }

    /// Written by the thread before it is joined, read afterwards.
    private final class Outcome: @unchecked Sendable {
        var mount: DetachedMount?
        var error: SystemError?
    }

    private static func hint(_ error: SystemError, _ layers: [Int32]) -> String? {
        error.isNoDevice ? "the kernel has no overlayfs: load the module \"overlay\"" : nil
    }
}
