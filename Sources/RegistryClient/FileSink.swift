package import Failure

/// Where a downloaded file's bytes go.
package protocol FileSink: Sendable {
    /// The file begins (anew): what was written before it is void.
    func begin() throws(Failure)
    func write(_ bytes: [UInt8]) throws(Failure)
}
