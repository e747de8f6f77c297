internal import BuildContext
internal import Failure
internal import LinuxSystem

/// A context that is fetched: a git repository, a tar or a Dockerfile at an address.
struct RemoteContext {
    let tree: ContextTree
    /// The address was a Dockerfile alone.
    let dockerfile: [UInt8]?
    let commitTime: Int64?

    init(_ address: String, _ work: WorkDirectory) throws(Failure) {
        throw Failure(.unsupported, "\(address): addresses are not fetched yet")
    }
}
