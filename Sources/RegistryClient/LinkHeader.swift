/// RFC 8288: the next page of a list is named by `Link: </v2/…>; rel="next"`.
enum LinkHeader {
    /// The target of the first link of relation `next`.
    static func next(_ headers: [String]) -> String? {
        for header in headers {
            var rest = Substring(header)
            while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
                let target = rest[rest.index(after: open)..<close]
                rest = rest[rest.index(after: close)...]
                // The parameters end where the next link begins.
                let parameters = rest[..<(rest.firstIndex(of: "<") ?? rest.endIndex)]
                for parameter in parameters.split(whereSeparator: { $0 == ";" || $0 == "," }) {
                    let pair = parameter.split(separator: "=", maxSplits: 1)
                    guard pair.count == 2, trimmed(pair[0]).lowercased() == "rel" else { continue }
                    let relations = trimmed(pair[1]).split { $0 == " " || $0 == "\"" }
                    if relations.contains(where: { $0.lowercased() == "next" }) { return String(target) }
                }
            }
        }
        return nil
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }
}
