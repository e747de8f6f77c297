internal import BuildContext
internal import Failure
internal import LinuxSystem

/// `--build-context NAME=…`: a directory, `docker-image://REF`, or an address.
struct NamedContexts: Sendable {
    private static let imagePrefix = "docker-image://"
    private let values: [String: String]

    init(_ values: [String: String]) { self.values = values }

    /// - Throws: `notFound` for one that is no image.
    func image(_ name: String) throws(Failure) -> String {
        guard let value = values[name], value.hasPrefix(NamedContexts.imagePrefix) else {
            throw Failure(
                .notFound, "the build context \(name) is no image",
                hint: "write --build-context \(name)=docker-image://IMAGE")
        }
        return String(value.dropFirst(NamedContexts.imagePrefix.count))
    }

    func tree(_ name: String, _ session: BuildSession) throws(Failure) -> ContextTree {
        guard let value = values[name] else {
            throw Failure(.notFound, "there is no build context \(name)")
        }
        if GitSource.isGit(value) || value.hasPrefix("https://") || value.hasPrefix("http://") {
            return try RemoteContext.tree(value, session.work)
        }
        let path = value.hasPrefix("oci-layout://") ? nil : value
        guard let path else {
            throw Failure(
                .unsupported, "--build-context \(name)=\(value): layouts are no contexts here",
                hint: "load it by \"ctr load\" and name it by docker-image://")
        }
        let ignored = try IgnoreFile.read(in: path, dockerfile: nil)
        return try ContextTree.opening(path, owners: .root, ignoring: ignored)
    }
}
