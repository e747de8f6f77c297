package import Failure

/// A count of processors, `0.5` or `2`, as `--cpus` takes it.
package enum CPUCount {
    /// The count in billionths of a processor. Finer than that is refused, as docker does; 0 means no limit.
    package static func nanoCPUs(_ text: String) throws(Failure) -> Int64 {
        guard let scaled = Digits.scaled(text[...].utf8, by: 1_000_000_000) else {
            throw Failure(.invalidArgument, "not a number of processors such as 0.5 or 2")
        }
        guard scaled.exact else {
            throw Failure(.invalidArgument, "more than nine decimal places")
        }
        return scaled.value
    }
}
