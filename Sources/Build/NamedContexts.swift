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
        if RemoteSource.isRemote(value) { return try RemoteContext(value, session.work).tree }
        guard !value.contains("://") else {
            throw Failure(
                .unsupported, "--build-context \(name)=\(value): not a directory, an image or an address",
                hint: "load a layout by \"ctr load\" and name it by docker-image://")
        }
        let tree = try ContextTree.opening(value, owners: .root)
        return try BuildInput.ignoring(tree, nil)
    }
}
