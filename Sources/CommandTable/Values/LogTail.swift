package import Failure

/// How many lines `logs --tail` shows.
package enum LogTail {
    /// The count, or nil for `all` (also for a negative number, as docker has it).
    package static func parse(_ text: String) throws(Failure) -> Int? {
        if text == "all" { return nil }
        guard let number = Int(text) else {
            throw Failure(.invalidArgument, "neither a number of lines nor all")
        }
        return number < 0 ? nil : number
    }
}
