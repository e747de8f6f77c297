internal import Failure

/// `0-3,7`, the kernel's way to write a set of processors or memory nodes.
enum CPUList {
    /// As words of 64 bits, the lowest first.
    static func mask(_ list: String) throws(Failure) -> [UInt64] {
        var words: [UInt64] = []
        for part in list.split(separator: ",") {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map {
                Int($0.filter { $0 != " " })
            }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, first >= 0,
                first <= last, last < 8192
            else { throw Failure(.invalidArgument, "\(list) is not a list such as 0-3,7") }
            for number in first...last {
                while words.count <= number / 64 { words.append(0) }
                words[number / 64] |= 1 << UInt64(number % 64)
            }
        }
        return words
    }
}
