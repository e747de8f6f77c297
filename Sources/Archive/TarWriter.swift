package import Failure
internal import LinuxSystem

/// Writes ustar with pax records only where ustar cannot say it (POSIX.1-2017, pax): the same entries give the same
/// bytes. Times are kept to the second, as docker does, unless `subsecondTimes`.
package final class TarWriter {
    package typealias Sink = (UnsafeRawBufferPointer) throws(Failure) -> Void

    package var subsecondTimes = false
    /// So far: entries, and bytes of files' data.
    package private(set) var entries = 0
    package private(set) var dataBytes: UInt64 = 0
    private let sink: Sink
    /// Data of the current entry that is still to come.
    private var owed: UInt64 = 0
    private var padding = 0
    private var block = [UInt8](repeating: 0, count: 512)

    package init(_ sink: @escaping Sink) { self.sink = sink }

    /// An entry's headers; its data follows by `write`, exactly `size` bytes.
    package func begin(_ entry: TarEntry) throws(Failure) {
        guard owed == 0 else { throw Failure(.internal, "tar: the former entry's data is not whole") }
        try finishEntry()
        let hasData = entry.kind == .file
        let size = hasData ? entry.size : 0
        let records = paxRecords(entry, size: size)
        if !records.isEmpty {
            var header = entry
            header.path = paxName(entry.path)
            header.kind = .file
            header.mode = 0o644
            header.modified.seconds = 0
            header.modified.nanoseconds = 0
            header.uid = 0
            header.gid = 0
            fill(header, type: UInt8(ascii: "x"), size: UInt64(records.count))
            try emitBlock()
            try emit(records)
            try emit([UInt8](repeating: 0, count: fill(to: records.count)))
        }
        fill(entry, type: typeFlag(entry), size: size)
        try emitBlock()
        owed = size
        entries += 1
        dataBytes += size
        padding = fill(to: Int(truncatingIfNeeded: size))
    }

    package func write(_ data: UnsafeRawBufferPointer) throws(Failure) {
        guard UInt64(data.count) <= owed else {
            throw Failure(.internal, "tar: more data than the entry's size")
        }
        guard !data.isEmpty else { return }
        try sink(data)
        owed -= UInt64(data.count)
    }

    /// A file from memory.
    package func add(_ entry: TarEntry, data: [UInt8] = []) throws(Failure) {
        var entry = entry
        entry.size = UInt64(data.count)
        try begin(entry)
        var failure: Failure?
        data.withUnsafeBytes { bytes in
            do throws(Failure) { try write(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// The end marker of two zero blocks.
    package func finish() throws(Failure) {
        guard owed == 0 else { throw Failure(.internal, "tar: the last entry's data is not whole") }
        try finishEntry()
        try emit([UInt8](repeating: 0, count: 1024))
    }

    private func finishEntry() throws(Failure) {
        if padding > 0 { try emit([UInt8](repeating: 0, count: padding)) }
        padding = 0
    }

    private func fill(to count: Int) -> Int { (512 - count & 511) & 511 }

    private func emitBlock() throws(Failure) { try emit(block) }

    private func emit(_ bytes: [UInt8]) throws(Failure) {
        guard !bytes.isEmpty else { return }
        var failure: Failure?
        bytes.withUnsafeBytes { buffer in
            do throws(Failure) { try sink(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}

// ---- the header block
extension TarWriter {
    private func typeFlag(_ entry: TarEntry) -> UInt8 {
        switch entry.kind {
        case .file, .socket: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symlink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }

    private func fill(_ entry: TarEntry, type: UInt8, size: UInt64) {
        for i in block.indices { block[i] = 0 }
        let (prefix, name) = split(entry.path.bytes) ?? ([], Array(entry.path.bytes.prefix(100)))
        put(name, at: 0)
        put(prefix, at: 345)
        octal(UInt64(entry.mode & 0o7777), at: 100, digits: 7)
        octal(UInt64(entry.uid), at: 108, digits: 7)
        octal(UInt64(entry.gid), at: 116, digits: 7)
        octal(size, at: 124, digits: 11)
        octal(UInt64(max(0, entry.modified.seconds)), at: 136, digits: 11)
        block[156] = type
        put(Array("ustar\u{0}00".utf8), at: 257)
        var major: UInt32 = 0
        var minor: UInt32 = 0
        switch entry.kind {
        case .hardLink(let target), .symlink(let target): put(Array(target.bytes.prefix(100)), at: 157)
        case .characterDevice(let a, let b), .blockDevice(let a, let b): (major, minor) = (a, b)
        default: break
        }
        octal(UInt64(major), at: 329, digits: 7)
        octal(UInt64(minor), at: 337, digits: 7)
        // The checksum counts its own field as spaces.
        for i in 148..<156 { block[i] = UInt8(ascii: " ") }
        let sum = block.reduce(UInt64(0)) { $0 + UInt64($1) }
        octal(sum, at: 148, digits: 6)
        block[154] = 0
        block[155] = UInt8(ascii: " ")
    }

    private func put(_ bytes: [UInt8], at offset: Int) {
        block.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }

    /// Values that do not fit are 0 here and right in the pax record.
    private func octal(_ value: UInt64, at offset: Int, digits: Int) {
        var rest = value >> UInt64(digits * 3) == 0 ? value : 0
        for i in stride(from: offset + digits - 1, through: offset, by: -1) {
            block[i] = UInt8(ascii: "0") + UInt8(rest & 7)
            rest >>= 3
        }
    }

    /// ustar's prefix and name; nil where the path does not fit.
    private func split(_ path: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
        if path.count <= 100 { return ([], path) }
        guard path.count <= 256 else { return nil }
        for i in path.indices.dropLast()
        where path[i] == UInt8(ascii: "/") && i > 0 && i <= 155 && path.count - i - 1 <= 100 {
            return (Array(path[..<i]), Array(path[(i + 1)...]))
        }
        return nil
    }

    private func paxName(_ path: RawPath) -> RawPath {
        let parts = path.bytes.split(separator: UInt8(ascii: "/"))
        return RawPath(Array("PaxHeaders/".utf8) + Array((parts.last ?? []).prefix(80)))
    }
}

// ---- pax records
extension TarWriter {
    private func paxRecords(_ entry: TarEntry, size: UInt64) -> [UInt8] {
        var records: [UInt8] = []
        func add(_ key: String, _ value: [UInt8]) {
            // The length counts its own digits.
            let rest = key.utf8.count + value.count + 3
            var length = rest + 1
            while String(length).utf8.count + rest != length { length = String(length).utf8.count + rest }
            records += Array("\(length) \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        }
        var isASCII = entry.path.bytes.allSatisfy { $0 < 0x80 }
        var longTarget: [UInt8]?
        switch entry.kind {
        case .hardLink(let target), .symlink(let target):
            let plain = target.bytes.allSatisfy { $0 < 0x80 }
            if target.bytes.count > 100 || !plain { longTarget = target.bytes }
            isASCII = isASCII && plain
        default: break
        }
        let utf8 =
            String(validating: entry.path.bytes, as: UTF8.self) != nil
            && longTarget.map { String(validating: $0, as: UTF8.self) != nil } ?? true
        // Bytes that are no UTF-8 are declared as what they are.
        if !isASCII, !utf8 { add("hdrcharset", Array("BINARY".utf8)) }
        if split(entry.path.bytes) == nil || !entry.path.bytes.allSatisfy({ $0 < 0x80 }) {
            add("path", entry.path.bytes)
        }
        if let longTarget { add("linkpath", longTarget) }
        if size >> 33 != 0 { add("size", Array(String(size).utf8)) }
        if entry.uid >> 21 != 0 { add("uid", Array(String(entry.uid).utf8)) }
        if entry.gid >> 21 != 0 { add("gid", Array(String(entry.gid).utf8)) }
        let seconds = entry.modified.seconds
        // Readers do not agree on what a fraction before 1970 means.
        let nanoseconds = subsecondTimes && seconds >= 0 ? entry.modified.nanoseconds : 0
        if seconds < 0 || seconds >> 33 != 0 || nanoseconds != 0 {
            add("mtime", Array(decimal(seconds, nanoseconds).utf8))
        }
        for attribute in entry.attributes.sorted(by: { $0.name < $1.name }) {
            add("SCHILY.xattr.\(attribute.name)", attribute.value)
        }
        return records
    }

    private func decimal(_ seconds: Int64, _ nanoseconds: UInt32) -> String {
        if nanoseconds == 0 { return String(seconds) }
        var digits = String(nanoseconds)
        digits = String(repeating: "0", count: 9 - digits.count) + digits
        while digits.last == "0" { digits.removeLast() }
        return "\(seconds).\(digits)"
    }
}
