/// What a build tells of itself while it is at work; called from any thread.
package protocol BuildProgress: Sendable {
    /// `[builder 2/5] RUN make`; each number is begun once and ended once.
    func began(_ step: Int, _ name: String)
    /// Bytes that the step's command wrote.
    func wrote(_ step: Int, _ bytes: [UInt8])
    /// A line of ctr's own about the step: what is pulled, why the cache was missed.
    func told(_ step: Int, _ line: String)
    func ended(_ step: Int, _ end: BuildStepEnd)
    /// A line that belongs to no step.
    func warned(_ line: String)
}

package enum BuildStepEnd: Sendable {
    case done
    case cached
    case failed(String)
    case canceled
}
