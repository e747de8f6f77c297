internal import BuildContext
internal import Dockerfile
internal import Failure
internal import LinuxSystem
internal import OCI

/// A source of ADD that is an address.
enum RemoteSource {
    static func isRemote(_ source: String) -> Bool {
        source.hasPrefix("http://") || source.hasPrefix("https://") || source.hasPrefix("git@")
            || source.hasPrefix("git://") || source.hasPrefix("ssh://")
    }

    /// The digest of what is there now.
    static func key(
        _ address: String, _ files: FileInstruction, _ session: BuildSession, step: Int
    ) throws(Failure) -> String {
        throw Failure(.unsupported, "ADD \(address): addresses are not fetched yet")
    }

    static func add(
        _ address: String, _ files: FileInstruction, into root: Int32, destination: String,
        _ options: CopyOptions, _ session: BuildSession, step: Int
    ) throws(Failure) {
        throw Failure(.unsupported, "ADD \(address): addresses are not fetched yet")
    }
}
