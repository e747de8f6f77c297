internal import CLibArchive
package import Failure
internal import Glibc
internal import LinuxSystem

/// tar(5) (v7, ustar, pax, gnutar) as a stream of entries. libarchive parses; it opens and creates nothing, and
/// decompresses only what `ForeignCompression` names. Not for several threads at once.
package final class TarReader {
    package struct Limits: Sendable {
        package var entries = 10_000_000
        package var pathLength = 4096
        package var componentLength = 255
        /// Names and values of one entry's extended attributes together.
        package var attributeBytes = 1 << 20

        package init() {}
    }

    /// Gives the next bytes, which stay valid until it is called again; nil at the end.
    package typealias Source = () throws(Failure) -> UnsafeRawBufferPointer?

    private let archive: OpaquePointer
    private let limits: Limits
    private let input: Input
    private var count = 0
    private var shownEntry = ""
    private var atEnd = false

    private final class Input {
        let source: Source
        var failure: Failure?
        var any = false
        init(_ source: @escaping Source) { self.source = source }

        func next() throws(Failure) -> UnsafeRawBufferPointer? {
            while let bytes = try source() {
                if bytes.isEmpty { continue }
                any = true
                return bytes
            }
            return nil
        }
    }

    package convenience init(limits: Limits = Limits(), source: @escaping Source) throws(Failure) {
        try self.init(limits: limits, unwrapping: nil, source: source)
    }

    init(limits: Limits, unwrapping foreign: ForeignCompression?, source: @escaping Source) throws(Failure) {
        guard let archive = archive_read_new() else {
            throw Failure(.resourceExhausted, "no memory for libarchive")
        }
        self.archive = archive
        self.limits = limits
        input = Input(source)
        try foreign?.unwrap(archive)
        archive_read_support_format_tar(archive)
        archive_read_support_format_empty(archive)
        archive_read_set_read_callback(
            archive,
            { _, context, block in
                guard let context, let block else { return -1 }
                let input = Unmanaged<Input>.fromOpaque(context).takeUnretainedValue()
                do throws(Failure) {
                    guard let bytes = try input.next() else { return 0 }
                    block.pointee = bytes.baseAddress
                    return bytes.count
                } catch {
                    input.failure = error
                    return -1
                }
            })
        archive_read_set_callback_data(archive, Unmanaged.passUnretained(input).toOpaque())
        guard archive_read_open1(archive) == ARCHIVE_OK else { throw failed("open") }
    }

    deinit { archive_read_free(archive) }

    /// The next entry; nil after the last. What is left of the former entry's data is skipped.
    package func next() throws(Failure) -> TarEntry? {
        if atEnd { return nil }
        var entry: OpaquePointer?
        let answer = archive_read_next_header(archive, &entry)
        if answer == ARCHIVE_EOF {
            atEnd = true
            return nil
        }
        guard let entry, answer == ARCHIVE_OK || (answer == ARCHIVE_WARN && onlyNameConversion) else {
            shownEntry = ""
            throw failed(count == 0 ? "the first entry" : "entry \(count + 1)")
        }
        count += 1
        guard count <= limits.entries else {
            throw Failure(.resourceExhausted, "tar has more than \(limits.entries) entries")
        }
        return try read(entry)
    }

    /// The next piece of the entry's data and where it goes; nil at its end. Holes of a sparse file are left out.
    package func nextData() throws(Failure) -> (offset: Int64, bytes: UnsafeRawBufferPointer)? {
        var start: UnsafeRawPointer?
        var size = 0
        var offset: Int64 = 0
        while true {
            let answer = archive_read_data_block(archive, &start, &size, &offset)
            if answer == ARCHIVE_EOF { return nil }
            guard answer == ARCHIVE_OK else { throw failed(shownEntry) }
            if size > 0 { return (offset, UnsafeRawBufferPointer(start: start, count: size)) }
        }
    }

    /// The whole of the entry's data.
    package func readData(limit: Int) throws(Failure) -> [UInt8] {
        var all: [UInt8] = []
        while let (offset, bytes) = try nextData() {
            guard offset >= all.count, Int(offset) + bytes.count <= limit else {
                throw Failure(.resourceExhausted, "\(shownEntry): is larger than \(limit) bytes")
            }
            all.append(contentsOf: repeatElement(0, count: Int(offset) - all.count))
            all.append(contentsOf: bytes)
        }
        return all
    }

    /// Takes what follows the end marker (padding), so that a digest made on the way covers the whole stream.
    package func drain() throws(Failure) {
        while try input.next() != nil {}
    }

    /// libarchive converts pax names to the locale's charset (ASCII here), and where it cannot, keeps the bytes as
    /// they are and warns: the bytes are what is wanted.
    private var onlyNameConversion: Bool {
        guard let text = archive_error_string(archive) else { return false }
        return strstr(text, "can't be converted") != nil
    }

    private func failed(_ what: String) -> Failure {
        if let failure = input.failure { return failure }
        let text = archive_error_string(archive).map { String(cString: $0) } ?? "unknown error"
        let why = text.prefix(1).lowercased() + text.dropFirst()
        if why.hasPrefix("unrecognized archive format") {
            return Failure(.invalidArgument, "is not a tar archive")
        }
        return Failure(.dataLoss, what.isEmpty ? "tar: \(why)" : "tar, \(what): \(why)")
    }
}

extension TarReader {
    private func read(_ entry: OpaquePointer) throws(Failure) -> TarEntry {
        guard let name = archive_entry_pathname(entry), name[0] != 0 else {
            throw Failure(.invalidArgument, "tar, entry \(count): has no name")
        }
        let path = raw(name)
        shownEntry = path.shown
        try check(path)
        let uid = archive_entry_uid(entry)
        let gid = archive_entry_gid(entry)
        guard let user = UInt32(exactly: uid), let group = UInt32(exactly: gid), user != .max, group != .max
        else { throw invalid("owner \(uid):\(gid) is out of range") }
        let size = archive_entry_size(entry)
        guard size >= 0 else { throw invalid("negative size") }
        return TarEntry(
            path: path, kind: try kind(of: entry), mode: UInt32(archive_entry_perm(entry)) & 0o7777,
            uid: user, gid: group, modified: modified(entry), size: UInt64(size),
            attributes: try attributes(of: entry))
    }

    private func kind(of entry: OpaquePointer) throws(Failure) -> TarEntry.Kind {
        if let target = archive_entry_hardlink(entry) {
            let target = raw(target)
            try check(target)
            return .hardLink(target: target)
        }
        // The values of stat's S_IFMT, which libarchive's AE_IF macros cast in a way that Swift does not import.
        switch UInt32(archive_entry_filetype(entry)) {
        case 0o100000, 0: return .file
        case 0o040000: return .directory
        case 0o010000: return .fifo
        case 0o140000: return .socket
        case 0o120000:
            guard let target = archive_entry_symlink(entry), target[0] != 0 else {
                throw invalid("symbolic link without a target")
            }
            let path = raw(target)
            guard path.bytes.count < limits.pathLength else { throw invalid("its target is too long") }
            return .symlink(target: path)
        case 0o020000:
            return .characterDevice(
                major: UInt32(truncatingIfNeeded: archive_entry_rdevmajor(entry)),
                minor: UInt32(truncatingIfNeeded: archive_entry_rdevminor(entry)))
        case 0o060000:
            return .blockDevice(
                major: UInt32(truncatingIfNeeded: archive_entry_rdevmajor(entry)),
                minor: UInt32(truncatingIfNeeded: archive_entry_rdevminor(entry)))
        case let type: throw invalid("unknown type \(String(type, radix: 8))")
        }
    }

    private func modified(_ entry: OpaquePointer) -> Timestamp {
        let nanoseconds = archive_entry_mtime_nsec(entry)
        guard (0..<1_000_000_000).contains(nanoseconds) else {
            return Timestamp(seconds: Int64(archive_entry_mtime(entry)))
        }
        return Timestamp(seconds: Int64(archive_entry_mtime(entry)), nanoseconds: UInt32(nanoseconds))
    }

    private func attributes(of entry: OpaquePointer) throws(Failure) -> [TarEntry.Attribute] {
        guard archive_entry_xattr_reset(entry) > 0 else { return [] }
        var attributes: [TarEntry.Attribute] = []
        var total = 0
        var name: UnsafePointer<CChar>?
        var value: UnsafeRawPointer?
        var size = 0
        while archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK {
            guard let name else { continue }
            guard let text = String(validatingCString: name), !text.isEmpty else {
                throw invalid("an extended attribute's name is not UTF-8")
            }
            total += text.utf8.count + size
            guard total <= limits.attributeBytes else {
                throw invalid("more than \(limits.attributeBytes) bytes of extended attributes")
            }
            let bytes = Array(UnsafeRawBufferPointer(start: value, count: size))
            // libarchive answers the last given first; the last given counts.
            if attributes.contains(where: { $0.name == text }) { continue }
            attributes.append(TarEntry.Attribute(name: text, value: bytes))
        }
        return attributes
    }

    private func check(_ path: RawPath) throws(Failure) {
        guard path.bytes.count < limits.pathLength else {
            throw Failure(
                .invalidArgument,
                "tar, entry \(count): its path has more than \(limits.pathLength - 1) bytes")
        }
        for component in path.bytes.split(separator: UInt8(ascii: "/"))
        where component.count > limits.componentLength {
            throw invalid("a name in its path has more than \(limits.componentLength) bytes")
        }
    }

    private func invalid(_ why: String) -> Failure {
        Failure(.invalidArgument, "tar, \(shownEntry): \(why)")
    }

    private func raw(_ text: UnsafePointer<CChar>) -> RawPath {
        RawPath(Array(UnsafeRawBufferPointer(start: text, count: strlen(text))))
    }
}
