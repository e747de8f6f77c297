package import Failure

extension MountRequest {
    /// Ranges of `idmap=uids=SOURCE-MOUNT-SIZE[#…];gids=…`, podman's form.
    package struct IDRange: Equatable, Sendable {
        /// On the disk, as it is seen, how many.
        package let source, mounted, count: UInt32
    }

    /// - Throws: `invalidArgument` where it is not of that form.
    package static func idRanges(_ text: String) throws(Failure) -> (uids: [IDRange], gids: [IDRange]) {
        var uids: [IDRange] = []
        var gids: [IDRange] = []
        for part in text.split(separator: ";") {
            switch part.prefix(5) {
            case "uids=": uids = try ranges(part.dropFirst(5), text)
            case "gids=": gids = try ranges(part.dropFirst(5), text)
            default: throw malformed(text)
            }
        }
        guard !uids.isEmpty, !gids.isEmpty else { throw malformed(text) }
        return (uids, gids)
    }

    private static func ranges(_ list: Substring, _ text: String) throws(Failure) -> [IDRange] {
        try list.split(separator: "#", omittingEmptySubsequences: false).map { (word) throws(Failure) in
            let numbers = word.split(separator: "-", omittingEmptySubsequences: false).map { UInt32($0) }
            guard numbers.count == 3, let source = numbers[0], let mounted = numbers[1],
                let count = numbers[2], count > 0, UInt64(source) + UInt64(count) <= UInt64(UInt32.max),
                UInt64(mounted) + UInt64(count) <= UInt64(UInt32.max)
            else { throw malformed(text) }
            return IDRange(source: source, mounted: mounted, count: count)
        }
    }

    private static func malformed(_ text: String) -> Failure {
        Failure(
            .invalidArgument, "idmap=\(text): not of the form idmap=uids=SOURCE-MOUNT-SIZE[#…];gids=…")
    }

    /// That what it asks of owners can be.
    func checkOwners() throws(Failure) {
        switch source {
        case .tmpfs: throw Failure(.invalidArgument, "U and idmap are for volumes and paths of the host")
        case .volume:
            guard idMapping == nil else {
                throw Failure(
                    .invalidArgument, "idmap is for paths of the host",
                    hint: "a volume is shown with the container's owners by itself")
            }
        case .bind(let path, _):
            if let mapping = idMapping, !mapping.isEmpty { _ = try MountRequest.idRanges(mapping) }
            if changesOwner, SystemPaths.all.contains(path) {
                throw Failure(
                    .invalidArgument, "the option U would give \(path) of the host to the container's user",
                    hint: "mount a directory that was made for the container")
            }
        }
    }
}
