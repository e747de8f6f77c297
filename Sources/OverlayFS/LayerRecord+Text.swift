package import Failure
internal import LinuxSystem

/// The record's file: one fact a line, a version first, names with `%xx` for what is not plain.
extension LayerRecord {
    package var text: String {
        var lines = ["ctr-layer 1", "size \(size)", "entries \(entries)"]
        if hasRootEntry { lines.append("root") }
        if isRootOpaque { lines.append("opaque-root") }
        lines += implicitParents.map { "implicit \(escaped($0))" }
        lines += pendingLinks.map { "link \(escaped($0.path)) \(escaped($0.target))" }
        return lines.joined(separator: "\n") + "\n"
    }

    package init(text: String) throws(Failure) {
        let lines = text.split(separator: "\n")
        guard lines.first == "ctr-layer 1" else {
            throw Failure(.unsupported, "a layer's record is of another version, or damaged")
        }
        for line in lines.dropFirst() {
            let words = line.split(separator: " ").map(String.init)
            switch (words.first, words.count) {
            case ("size", 2): size = UInt64(words[1]) ?? 0
            case ("entries", 2): entries = Int(words[1]) ?? 0
            case ("root", 1): hasRootEntry = true
            case ("opaque-root", 1): isRootOpaque = true
            case ("implicit", 2): implicitParents.append(unescaped(words[1]))
            case ("link", 3):
                pendingLinks.append(
                    PendingLink(path: unescaped(words[1]), target: unescaped(words[2])))
            default: throw Failure(.dataLoss, "a layer's record has a line that means nothing: \(line)")
            }
        }
    }
}

private func escaped(_ path: RawPath) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var bytes: [UInt8] = []
    for byte in path.bytes {
        if byte > 0x20, byte < 0x7f, byte != UInt8(ascii: "%") {
            bytes.append(byte)
        } else {
            bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

private func unescaped(_ text: String) -> RawPath {
    var bytes: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
        if byte == UInt8(ascii: "%"),
            let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
        {
            bytes.append(value)
            rest = rest.dropFirst(2)
        } else {
            bytes.append(byte)
        }
    }
    return RawPath(bytes)
}
