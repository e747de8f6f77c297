package import Failure

extension MountRequest {
    /// `-v NAME:/path[:OPTIONS]`, `/host:/path[:OPTIONS]` or `/path` for an anonymous volume.
    ///
    /// Options: `ro`, `rw`, `nocopy`, a propagation, `U`, `idmap[=uids=…;gids=…]`, `z` and `Z` (without effect where
    /// SELinux is off), and docker's `consistent`, `cached`, `delegated` (without effect on Linux).
    package init(volume text: String, workingDirectory: String) throws(Failure) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1:
            self.init(source: .volume(name: nil), target: try MountPath.target(parts[0]))
        case 2, 3:
            guard !parts[0].isEmpty else {
                throw Failure(.invalidArgument, "nothing before the first colon")
            }
            if parts.count == 2, parts[1].utf8.first != UInt8(ascii: "/"),
                parts[0].utf8.first == UInt8(ascii: "/")
            {
                throw Failure(
                    .invalidArgument, "\"\(parts[1])\" is not an absolute path in the container",
                    hint: "Options come third: [SOURCE:]PATH[:OPTIONS].")
            }
            let source: Source
            if MountPath.isHostPath(parts[0]) {
                let path = try MountPath.host(parts[0], workingDirectory: workingDirectory)
                source = .bind(path: path, createsSource: true)
            } else {
                try VolumeName.check(parts[0])
                source = .volume(name: parts[0])
            }
            self.init(source: source, target: try MountPath.target(parts[1]))
            if parts.count == 3 { try read(options: parts[2]) }
        default:
            throw Failure(
                .invalidArgument, "more than two colons",
                hint: "A path with a colon in it can be given by --mount.")
        }
    }

    private mutating func read(options: String) throws(Failure) {
        var access: String?
        for option in options.split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
            switch option {
            case "ro", "rw":
                guard access == nil else { throw Failure(.invalidArgument, "ro or rw is given twice") }
                access = option
                isReadOnly = option == "ro"
            case "nocopy":
                guard case .volume = source else {
                    throw Failure(
                        .invalidArgument, "nocopy is for volumes, and \(shownSource) is a path of the host")
                }
                isNeverFilled = true
            case "z", "Z":
                guard relabeling == nil else { throw Failure(.invalidArgument, "z or Z is given twice") }
                relabeling = option
            case "consistent", "cached", "delegated":
                continue
            case _ where MountRequest.propagations.contains(option):
                guard case .bind = source else {
                    throw Failure(
                        .invalidArgument, "\(option) is for paths of the host, and \(shownSource) is a volume"
                    )
                }
                guard propagation == nil else { throw Failure(.invalidArgument, "two propagations") }
                propagation = option
            case "U":
                changesOwner = true
                try checkOwners()
            case _ where option == "idmap" || option.hasPrefix("idmap="):
                idMapping = String(option.dropFirst("idmap=".count))
                try checkOwners()
            default:
                throw Failure(
                    .invalidArgument, "unknown option \"\(option)\"",
                    hint:
                        "Options are ro, rw, nocopy, U, idmap, z, Z and \(MountRequest.propagations.joined(separator: ", "))."
                )
            }
        }
    }

    private var shownSource: String {
        switch source {
        case .volume(let name): name ?? "it"
        case .bind(let path, _): path
        case .tmpfs: "it"
        }
    }
}
