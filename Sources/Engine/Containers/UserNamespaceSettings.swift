internal import Failure
package import LinuxSystem

/// `--userns`, `--uidmap` and `--gidmap`: what was asked for, and from create on the ids that came of it. Part of the
/// settings.
package struct UserNamespaceSettings: Sendable, Equatable {
    /// The word as it was given; empty: none.
    package var mode = ""
    /// As asked `CONTAINER:HOST:SIZE`; in a record `CONTAINER HOST SIZE`, as /proc/PID/uid_map has it. Empty: the container
    /// is in ctr's own namespace.
    package var uids: [String] = []
    package var gids: [String] = []
    /// The id of the container whose namespace this one is in.
    package var container = ""
    /// No mount here can show other owners than the disk has: the image's files were copied once, with owners of the
    /// namespace, to `base` beside the container's layer.
    package var copiesLayers = false

    package init() {}

    package var isAskedFor: Bool { !mode.isEmpty || !uids.isEmpty || !gids.isEmpty }

    /// nil without a namespace of its own.
    package var maps: UserMaps? {
        guard !uids.isEmpty, let uids = IDMap(lines: uids), let gids = IDMap(lines: gids) else { return nil }
        return UserMaps(uids: uids, gids: gids)
    }

    func write(to record: inout FlatRecord) {
        if !mode.isEmpty { record.add("userns", mode) }
        record.add("uid-map", all: uids)
        record.add("gid-map", all: gids)
        if !container.isEmpty { record.add("userns-container", container) }
        if copiesLayers { record.add("copies-layers", "1") }
    }

    /// Answers whether the key is one of these.
    mutating func read(_ key: String, _ value: String) -> Bool {
        switch key {
        case "userns": mode = value
        case "uid-map": uids.append(value)
        case "gid-map": gids.append(value)
        case "userns-container": container = value
        case "copies-layers": copiesLayers = true
        default: return false
        }
        return true
    }
}
