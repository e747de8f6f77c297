package import Failure

/// One `--ulimit nofile=1024:2048`.
package struct Ulimit: Equatable, Sendable {
    /// Without the `RLIMIT_` before it, in small letters.
    package let name: String
    /// -1 is no limit.
    package let soft: Int64
    package let hard: Int64

    package static let names = [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss",
        "rtprio", "rttime", "sigpending", "stack",
    ]

    /// `NAME=SOFT` or `NAME=SOFT:HARD`; with one number it is both.
    package static func parse(_ text: String) throws(Failure) -> Ulimit {
        guard let equals = text.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            throw Failure(.invalidArgument, "not of the form NAME=SOFT[:HARD]")
        }
        let name = String(text[..<equals])
        guard names.contains(name) else {
            throw Failure(
                .invalidArgument, "no limit is named \(name)",
                hint: "The limits are \(names.joined(separator: ", ")).")
        }
        let numbers = text[text.utf8.index(after: equals)...].split(
            separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        func limit(_ text: Substring) throws(Failure) -> Int64 {
            guard let value = text == "-1" ? -1 : Digits.unsigned(text.utf8) else {
                throw Failure(.invalidArgument, "a limit is a whole number, or -1 for none, not \"\(text)\"")
            }
            return value
        }
        let soft = try limit(numbers[0])
        let hard = numbers.count == 2 ? try limit(numbers[1]) : soft
        guard hard == -1 || (soft != -1 && soft <= hard) else {
            throw Failure(.invalidArgument, "the soft limit is above the hard limit")
        }
        return Ulimit(name: name, soft: soft, hard: hard)
    }
}
