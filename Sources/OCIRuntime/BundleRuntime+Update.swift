package import Failure
internal import LinuxSystem
package import OCI
internal import Runtime

extension BundleRuntime {
    /// Changes the limits of a running container; what resources do not name stays as it is.
    /// - Parameter shares: of caches and memory bandwidth.
    package func update(
        _ id: String, _ resources: RuntimeSpec.Resources, shares: RuntimeSpec.IntelRdt? = nil
    ) throws(Failure) {
        let directory = try StateDirectory.open(id, in: root)
        var (state, status) = try known(directory)
        guard status != .stopped, status != .creating else {
            throw Failure(.conflict, "container not running: \(id)")
        }
        if let shares {
            try CacheAllocation.change(
                shares, of: try directory.spec().linux?.intelRdt, container: id,
                mount: try CacheAllocation.mount())
        }
        guard resources != RuntimeSpec.Resources() else { return }
        guard var location = state.location else {
            throw Failure(.unsupported, "cannot update \(id): it has no cgroup of its own")
        }
        let change = try CgroupChange(
            resources, at: location, layout: try CgroupLayout.read(), now: CgroupChange.content)
        try change.apply()
        guard !change.joined.isEmpty else { return }
        location.legacy += change.joined
        location.toRemove += change.joined.map(\.directory)
        state.location = location
        try directory.write(state)
    }
}
