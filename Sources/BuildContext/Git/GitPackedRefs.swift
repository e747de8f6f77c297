internal import Failure

/// `packed-refs`: a line a ref, sorted by name since git 2.15 and found by halving then.
struct GitPackedRefs {
    private let bytes: [UInt8]
    private let isSorted: Bool
    private let start: Int

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let prefix = Array("# pack-refs with:".utf8)
        if bytes.starts(with: prefix) {
            let header = bytes.prefix { $0 != UInt8(ascii: "\n") }
            isSorted = header.split(separator: UInt8(ascii: " ")).contains { $0.elementsEqual("sorted".utf8) }
            start = min(header.count + 1, bytes.count)
        } else {
            isSorted = false
            start = 0
        }
    }

    func object(of name: [UInt8]) throws(Failure) -> GitObjectName? {
        isSorted ? try halve(name) : try walk(name)
    }

    private func walk(_ name: [UInt8]) throws(Failure) -> GitObjectName? {
        var at = start
        while at < bytes.count {
            let end = lineEnd(at)
            if let (object, ref) = try entry(at..<end), ref.elementsEqual(name) { return object }
            at = end + 1
        }
        return nil
    }

    private func halve(_ name: [UInt8]) throws(Failure) -> GitObjectName? {
        var (low, high) = (start, bytes.count)
        while low < high {
            var line = lineStart((low + high) / 2, atLeast: low)
            // What a tag leads to stands on a line of its own below it.
            if bytes[line] == UInt8(ascii: "^"), line > low { line = lineStart(line - 1, atLeast: low) }
            let end = lineEnd(line)
            guard let (object, ref) = try entry(line..<end) else {
                low = end + 1
                continue
            }
            if ref.elementsEqual(name) { return object }
            if name.lexicographicallyPrecedes(ref) { high = line } else { low = end + 1 }
        }
        return nil
    }

    private func lineStart(_ position: Int, atLeast low: Int) -> Int {
        var at = position
        while at > low, bytes[at - 1] != UInt8(ascii: "\n") { at -= 1 }
        return at
    }

    private func lineEnd(_ start: Int) -> Int {
        var at = start
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { at += 1 }
        return at
    }

    /// nil for a line that is no ref's.
    private func entry(_ line: Range<Int>) throws(Failure) -> (GitObjectName, ArraySlice<UInt8>)? {
        let text = bytes[line]
        guard let first = text.first, first != UInt8(ascii: "^"), first != UInt8(ascii: "#") else {
            return nil
        }
        guard let space = text.firstIndex(of: UInt8(ascii: " ")),
            let object = GitObjectName(hex: text[..<space])
        else { throw Failure(.dataLoss, "packed-refs is damaged") }
        return (object, text[(space + 1)...])
    }
}
