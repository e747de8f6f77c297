package import Failure

extension CgroupLocation {
    /// The v1 directory that has a controller.
    package func directory(holding controller: String) -> String? { directory(of: controller) }

    /// A cgroup that the container, or somebody for it, has made below its own.
    /// - Parameter path: relative to the container's; `memory,cpu:path` means those v1 hierarchies alone; nil: itself.
    package func below(_ path: String?) throws(Failure) -> CgroupLocation {
        guard let path, path != "/", !path.isEmpty else { return self }
        let parts = path.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let controllers = parts.count == 2 ? parts[0].split(separator: ",").map(String.init) : nil
        let names = (parts.last ?? "").split(separator: "/")
        guard !names.isEmpty, !names.contains(".."), !names.contains(".") else {
            throw Failure(.invalidArgument, "--cgroup \(path): it must lie below the container's cgroup")
        }
        let below = names.joined(separator: "/")
        var location = self
        location.unified = controllers == nil ? unified.map { "\($0)/\(below)" } : unified
        location.legacy = legacy.map { place in
            guard controllers.map({ $0.contains(where: place.controllers.contains) }) ?? true else {
                return place
            }
            var place = place
            place.directory += "/\(below)"
            return place
        }
        return location
    }
}
