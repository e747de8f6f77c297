import Archive
import Failure
import ImageStore
import LinuxSystem
import Testing

/// A tar in memory, and descriptors on it.
struct TarFile {
    var entries: [(TarEntry, [UInt8])] = []

    mutating func add(_ path: String, _ data: [UInt8]) {
        entries.append((TarEntry(path: RawPath(path), kind: .file), data))
    }

    mutating func add(_ path: String, _ text: String) { add(path, Array(text.utf8)) }

    mutating func link(_ path: String, to target: String, hard: Bool = false) {
        let target = RawPath(target)
        entries.append(
            (
                TarEntry(
                    path: RawPath(path), kind: hard ? .hardLink(target: target) : .symlink(target: target)),
                []
            ))
    }

    func bytes() throws -> [UInt8] {
        final class Box { var bytes: [UInt8] = [] }
        let box = Box()
        let writer = TarWriter { (piece) throws(Failure) in box.bytes += piece }
        for (entry, data) in entries { try writer.add(entry, data: data) }
        try writer.finish()
        return box.bytes
    }

    func file(_ compression: Compression = .uncompressed) throws -> FileDescriptor {
        try memory(try compressed(try bytes(), compression))
    }
}

func compressed(_ bytes: [UInt8], _ compression: Compression) throws -> [UInt8] {
    let compressor = try Compressor(compression)
    var out: [UInt8] = []
    try bytes.withUnsafeBytes { try compressor.feed($0) { out += $0 } }
    try compressor.finish { out += $0 }
    return out
}

func memory(_ bytes: [UInt8]) throws -> FileDescriptor {
    let file = try FileDescriptor.memory("tar")
    try file.write(bytes)
    try file.seek(to: 0)
    return file
}

/// The files of a tar in their order.
func files(of bytes: [UInt8]) throws -> [(path: String, data: [UInt8], entry: TarEntry)] {
    var rest = bytes[...]
    let reader = try TarReader { () throws(Failure) in
        let piece = rest.prefix(4096)
        rest = rest.dropFirst(4096)
        if piece.isEmpty { return nil }
        // Kept until the next call by the leak of a test.
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: piece.count, alignment: 1)
        room.copyBytes(from: piece)
        return UnsafeRawBufferPointer(room)
    }
    var all: [(path: String, data: [UInt8], entry: TarEntry)] = []
    while let entry = try reader.next() {
        let data = entry.kind == .file ? try reader.readData(limit: 16 << 20) : []
        all.append((String(decoding: entry.path.bytes, as: UTF8.self), data, entry))
    }
    return all
}
