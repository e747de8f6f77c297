internal import Dockerfile
internal import Failure
internal import LinuxSystem

extension ContextTree {
    /// The failure of a source that is not there, with the reason where one can be seen.
    func notFound(_ written: [[UInt8]]) -> Failure {
        Failure(
            .notFound, "\"\(RootedPath(components: written).shown)\"\(of): not found", hint: hint(written))
    }

    private func hint(_ written: [[UInt8]]) -> String? {
        if let patterns {
            for count in stride(from: written.count, to: 0, by: -1) {
                let path = Array(written[..<count])
                guard
                    let pattern = patterns.pattern(
                        excluding: path.joined(separator: [UInt8(ascii: "/")])), isThere(path)
                else { continue }
                return "the pattern \"\(RawPath(pattern).shown)\" of .dockerignore leaves it out"
            }
        }
        // As far as the path is there, and the name there that looks most like the next one.
        for count in written.indices {
            let parent = Array(written[..<count])
            guard !isThere(Array(written[...count])) else { continue }
            let names = ((try? listing(of: parent)) ?? []).map(\.name.bytes)
            guard let nearest = ContextTree.nearest(to: written[count], among: names) else { return nil }
            return "did you mean \"\(RootedPath(components: parent + [nearest]).shown)\"?"
        }
        return nil
    }

    private func isThere(_ path: [[UInt8]]) -> Bool {
        (try? RootedPath.open(path, below: root, [.pathOnly])) != nil
    }

    /// The name at the least distance of edits, if that is a third of its length at most.
    static func nearest(to name: [UInt8], among names: [[UInt8]]) -> [UInt8]? {
        var best: (distance: Int, name: [UInt8])?
        let limit = max(1, name.count / 3)
        for other in names.prefix(10_000) where abs(other.count - name.count) <= limit {
            let distance = distance(name, other)
            if distance <= limit, distance < best?.distance ?? .max { best = (distance, other) }
        }
        return best?.name
    }

    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let same = x == y || x | 0x20 == y | 0x20 && (0x61...0x7a).contains(x | 0x20)
                let cost = min(diagonal + (same ? 0 : 1), row[j] + 1, row[j + 1] + 1)
                diagonal = row[j + 1]
                row[j + 1] = cost
            }
        }
        return row[b.count]
    }
}
