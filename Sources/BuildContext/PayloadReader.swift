internal import LinuxSystem
internal import OCI

/// Reads what files of one part hold: contents, targets, extended attributes. Any order of files is right, that of the
/// walk is fast.
final class PayloadReader {
    private let files: [SelectedFile]
    private var trail: DirectoryTrail
    /// The places of the directories that the trail is in.
    private var chain: [Int] = []
    private let base: FileDescriptor
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)

    init(_ part: FileSelection.Part, in tree: ContextTree) throws(SystemError) {
        files = part.files
        base = try RootedPath.open(part.base, below: tree.root, [.readOnly, .directory])
        trail = DirectoryTrail(root: base.raw)
    }

    deinit { buffer.deallocate() }

    func fingerprint(at place: Int) throws(SystemError) -> Fingerprint {
        let file = files[place]
        // The top's attributes are nobody's: it goes into a directory that has its own.
        if file.isTop { return .none }
        try move(to: file.parent)
        switch file.status.kind {
        case .file: return try read(file)
        case .directory:
            let opened = try FileDescriptor.open(
                file.name, in: trail.current, [.readOnly, .directory, .noFollow])
            return Fingerprint.of(nil, try CopiedAttributes.read(opened))
        default:
            var hash: Fingerprint?
            if file.status.kind == .symlink {
                var target = ContentHash()
                target.update(try Directory.readLink(file.name, in: trail.current).bytes)
                hash = Fingerprint(target)
            }
            return Fingerprint.of(hash, try CopiedAttributes.read(file.name, in: trail.current))
        }
    }

    private func read(_ file: SelectedFile) throws(SystemError) -> Fingerprint {
        let opened = try FileDescriptor.open(
            file.name, in: trail.current, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal])
        guard DigestMemory.Key(try opened.status()) == DigestMemory.Key(file.status) else {
            throw SystemError.changed(file.name.shown)
        }
        var hash = ContentHash()
        var left = file.status.size
        while left > 0 {
            let got = try opened.read(into: buffer)
            if got == 0 { break }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
            left -= min(left, UInt64(got))
        }
        return Fingerprint.of(Fingerprint(hash), try CopiedAttributes.read(opened))
    }

    private func move(to parent: Int) throws(SystemError) {
        let parent = max(0, parent)
        if chain.last ?? 0 == parent { return }
        // One level down, as a walk goes.
        if files[parent].parent == chain.last ?? 0 {
            try trail.enter(files[parent].name)
            return chain.append(parent)
        }
        var wanted: [Int] = []
        var at = parent
        while at > 0 {
            wanted.append(at)
            at = files[at].parent
        }
        wanted.reverse()
        let common = zip(chain, wanted).prefix { $0 == $1 }.count
        while chain.count > common {
            chain.removeLast()
            try trail.leave()
        }
        for place in wanted[common...] {
            try trail.enter(files[place].name)
            chain.append(place)
        }
    }
}

extension Fingerprint {
    /// Of contents and attributes; without attributes the contents' own.
    fileprivate static func of(_ contents: Fingerprint?, _ attributes: [CopiedAttributes.Attribute])
        -> Fingerprint
    {
        if attributes.isEmpty { return contents ?? .none }
        var bytes: [UInt8] = []
        (contents ?? .none).append(to: &bytes)
        for attribute in attributes.sorted(by: { $0.name < $1.name }) {
            bytes.append(UInt64(attribute.name.utf8.count))
            bytes += attribute.name.utf8
            bytes.append(UInt64(attribute.value.count))
            bytes += attribute.value
        }
        var hash = ContentHash()
        hash.update(bytes)
        return Fingerprint(hash)
    }
}
