internal import Failure
internal import LinuxSystem
internal import Rootless

/// From the words of `--userns`, `--uidmap` and `--gidmap` to the ids of a container, by podman's rules.
struct UserNamespaceRequest {
    /// What ctr has to give: for root the host's ids, for an ordinary user those of the user's own namespace, where 0 is
    /// the user.
    struct Caller {
        /// The user's own ids on the host; nil for root.
        var ordinary: (uid: UInt32, gid: UInt32)?
        /// Ranges for `auto`.
        var uids: [SubordinateIDs.Range]
        var gids: [SubordinateIDs.Range]
        /// How many ids an ordinary user's namespace has.
        var uidCount: UInt32 = 0
        var gidCount: UInt32 = 0
    }

    let caller: Caller
    /// Ids outside that other containers have.
    let takenUIDs: [UserNamespace.Range]
    let takenGIDs: [UserNamespace.Range]

    /// Where `auto` takes ids when /etc/subuid names none for "containers": no distribution, systemd or directory service
    /// gives these to anybody (systemd's UIDS-GIDS: 1879048192 to 2147352575 are unused).
    static let defaultPool = SubordinateIDs.Range(start: 1_879_048_192, count: 268_304_384)
    /// `auto` without a size.
    static let rootSize: UInt32 = 65536
    static let ordinarySize: UInt32 = 1024

    /// The ids, as lines of a map; nil where the container stays in ctr's namespace.
    func resolve(_ settings: UserNamespaceSettings) throws(Failure) -> (uids: IDMap, gids: IDMap)? {
        let given = !settings.uids.isEmpty || !settings.gids.isEmpty
        let colon = settings.mode.firstIndex(of: ":")
        let word = colon.map { String(settings.mode[..<$0]) } ?? settings.mode
        let options = colon.map { String(settings.mode[settings.mode.index(after: $0)...]) }
        if given, !word.isEmpty {
            throw Failure(
                .invalidArgument, "--userns and --uidmap or --gidmap: give one of them",
                hint: "the maps make a user namespace by themselves")
        }
        switch word {
        case "" where !given: return nil
        case "": return try explicit(settings)
        case "host":
            try refuse(options, word)
            return nil
        case "auto": return try auto(options)
        case "keep-id": return try keepID(options)
        case "nomap":
            try refuse(options, word)
            return try withoutOwn()
        default:
            throw Failure(
                .invalidArgument, "--userns \(settings.mode): unknown mode",
                hint: "it can be host, auto[:size=N,...], keep-id[:uid=N,gid=N], nomap or container:NAME")
        }
    }

    private func refuse(_ options: String?, _ word: String) throws(Failure) {
        if let options {
            throw Failure(.invalidArgument, "--userns \(word):\(options): \(word) has no options")
        }
    }

    // MARK: the modes

    private func explicit(_ settings: UserNamespaceSettings) throws(Failure) -> (uids: IDMap, gids: IDMap) {
        let uids = try IDMap(flag: "--uidmap", settings.uids, limit: caller.uidCount)
        let gids = try IDMap(flag: "--gidmap", settings.gids, limit: caller.gidCount)
        // One of them is for both, as in podman.
        let maps = (uids: uids ?? gids, gids: gids ?? uids)
        guard let uids = maps.uids, let gids = maps.gids else {
            throw Failure(.invalidArgument, "--uidmap: no ids")
        }
        guard uids.outside(0) != nil, gids.outside(0) != nil else {
            throw Failure(
                .invalidArgument, "--uidmap, --gidmap: user and group 0 of the container are not mapped",
                hint: "an image's files belong to them: add 0:HOST:1")
        }
        return (uids, gids)
    }

    private func auto(_ options: String?) throws(Failure) -> (uids: IDMap, gids: IDMap) {
        let isRoot = caller.ordinary == nil
        var size = isRoot ? UserNamespaceRequest.rootSize : UserNamespaceRequest.ordinarySize
        var uids: [String] = []
        var gids: [String] = []
        for option in (options ?? "").split(separator: ",") {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init)
            let value = parts.count == 2 ? parts[1] : ""
            switch parts[0] {
            case "size" where UInt32(value).map({ $0 > 0 }) == true: size = UInt32(value) ?? size
            case "uidmapping": uids.append(value)
            case "gidmapping": gids.append(value)
            default:
                throw Failure(
                    .invalidArgument, "--userns auto:\(options ?? ""): \(option) is not known",
                    hint:
                        "options are size=NUMBER, uidmapping=CONTAINER:HOST:SIZE and gidmapping=CONTAINER:HOST:SIZE"
                )
            }
        }
        let given = (
            uids: try IDMap(flag: "--userns auto:uidmapping", uids, limit: caller.uidCount),
            gids: try IDMap(flag: "--userns auto:gidmapping", gids, limit: caller.gidCount)
        )
        return (
            try fill(given.uids, to: size, caller.uids, takenUIDs, "/etc/subuid"),
            try fill(given.gids, to: size, caller.gids, takenGIDs, "/etc/subgid")
        )
    }

    /// What is given, and ids of the pool for the rest of the container's first `size`.
    private func fill(
        _ given: IDMap?, to size: UInt32, _ pool: [SubordinateIDs.Range], _ taken: [UserNamespace.Range],
        _ file: String
    ) throws(Failure) -> IDMap {
        let given = (given?.ranges ?? []).sorted { $0.inside < $1.inside }
        var gaps: [(inside: UInt32, count: UInt32)] = []
        var next: UInt32 = 0
        for range in given where range.inside < size {
            if range.inside > next { gaps.append((next, range.inside - next)) }
            next = range.inside + range.count
        }
        if next < size { gaps.append((next, size - next)) }
        let missing = gaps.reduce(0) { $0 + $1.count }
        guard missing > 0 else { return IDMap(given) }
        var outside = try allocate(missing, pool, taken + given, file).outside
        var ranges = given
        for gap in gaps {
            ranges.append(UserNamespace.Range(inside: gap.inside, outside: outside, count: gap.count))
            outside += gap.count
        }
        return IDMap(ranges.sorted { $0.inside < $1.inside })
    }

    /// The first gap that is wide enough.
    private func allocate(
        _ size: UInt32, _ pool: [SubordinateIDs.Range], _ taken: [UserNamespace.Range], _ file: String
    ) throws(Failure) -> UserNamespace.Range {
        let taken = taken.map { (UInt64($0.outside), UInt64($0.outside) + UInt64($0.count)) }.sorted {
            $0 < $1
        }
        for range in pool {
            var start = UInt64(range.start)
            let end = start + UInt64(range.count)
            for (from, to) in taken where to > start && from < end {
                if from >= start + UInt64(size) { break }
                start = max(start, to)
            }
            if start + UInt64(size) <= end {
                return UserNamespace.Range(inside: 0, outside: UInt32(start), count: size)
            }
        }
        let all = pool.reduce(0) { $0 + UInt64($1.count) }
        throw Failure(
            .resourceExhausted,
            "--userns auto: no \(size) ids are free: there are \(all), and \(taken.count) containers have some",
            hint: caller.ordinary == nil
                ? "remove containers, ask for less by auto:size=NUMBER, or give \"containers\" more in \(file)"
                : "remove containers, ask for less by auto:size=NUMBER, or have more in \(file)")
    }

    private func ordinaryOnly(_ word: String) throws(Failure) -> (uid: UInt32, gid: UInt32) {
        guard let own = caller.ordinary else {
            throw Failure(
                .invalidArgument, "--userns \(word) is for ordinary users, and this is root",
                hint: "--userns auto gives the container ids of its own")
        }
        guard caller.uidCount > 1, caller.gidCount > 1 else {
            throw Failure(
                .unsupported, "--userns \(word): this user has one id only, and the container needs more",
                hint: "\"ctr doctor\" prints the line that gives the user subordinate ids")
        }
        return own
    }

    private func keepID(_ options: String?) throws(Failure) -> (uids: IDMap, gids: IDMap) {
        var (uid, gid) = try ordinaryOnly("keep-id")
        for option in (options ?? "").split(separator: ",") {
            let number = UInt32(option.dropFirst(4))
            switch option.prefix(4) {
            case "uid=" where number != nil && number != .max: uid = number ?? uid
            case "gid=" where number != nil && number != .max: gid = number ?? gid
            default:
                throw Failure(
                    .invalidArgument, "--userns keep-id:\(options ?? ""): \(option) is not known",
                    hint: "options are uid=NUMBER and gid=NUMBER")
            }
        }
        return (.keeping(uid, of: caller.uidCount), .keeping(gid, of: caller.gidCount))
    }

    private func withoutOwn() throws(Failure) -> (uids: IDMap, gids: IDMap) {
        _ = try ordinaryOnly("nomap")
        func map(_ count: UInt32) -> IDMap {
            IDMap([UserNamespace.Range(inside: 0, outside: 1, count: count - 1)])
        }
        return (map(caller.uidCount), map(caller.gidCount))
    }
}

extension IDMap {
    /// The caller's own id (0 outside) is `id` inside; the `count - 1` subordinate ones are around it.
    static func keeping(_ id: UInt32, of count: UInt32) -> IDMap {
        let own = UserNamespace.Range(inside: id, outside: 0, count: 1)
        let below = min(id, count - 1)
        var ranges: [UserNamespace.Range] = []
        if below > 0 { ranges.append(UserNamespace.Range(inside: 0, outside: 1, count: below)) }
        ranges.append(own)
        let above = count - 1 - below
        if above > 0 {
            ranges.append(UserNamespace.Range(inside: id + 1, outside: below + 1, count: above))
        }
        return IDMap(ranges)
    }

    /// `CONTAINER:HOST[:SIZE]` each; nil where there is none.
    ///
    /// - Parameter limit: how many ids there are outside; 0: all.
    fileprivate init?(flag: String, _ words: [String], limit: UInt32) throws(Failure) {
        if words.isEmpty { return nil }
        var ranges: [UserNamespace.Range] = []
        for word in words {
            let numbers = word.split(separator: ":", omittingEmptySubsequences: false).map { UInt32($0) }
            guard (2...3).contains(numbers.count), let inside = numbers[0], let outside = numbers[1],
                let size = numbers.count == 3 ? numbers[2] : 1, size > 0,
                UInt64(inside) + UInt64(size) <= UInt64(UInt32.max),
                UInt64(outside) + UInt64(size) <= UInt64(UInt32.max)
            else {
                throw Failure(
                    .invalidArgument, "\(flag) \(word): not of the form CONTAINER:HOST[:SIZE]")
            }
            if limit > 0, UInt64(outside) + UInt64(size) > UInt64(limit) {
                throw Failure(
                    .invalidArgument, "\(flag) \(word): this user has the ids 0 to \(limit - 1)",
                    hint: "0 is the user, the others are the user's subordinate ids in their order")
            }
            let range = UserNamespace.Range(inside: inside, outside: outside, count: size)
            if let other = ranges.first(where: { $0.overlaps(range) }) {
                throw Failure(
                    .invalidArgument,
                    "\(flag) \(word): it overlaps \(other.inside):\(other.outside):\(other.count)")
            }
            ranges.append(range)
        }
        // user_namespaces(7)
        guard ranges.count <= 340 else {
            throw Failure(.invalidArgument, "\(flag): \(ranges.count) ranges, and the kernel takes 340")
        }
        self.init(ranges)
    }
}

extension UserNamespace.Range {
    /// Inside or outside: the kernel takes neither.
    fileprivate func overlaps(_ other: UserNamespace.Range) -> Bool {
        func meet(_ a: UInt32, _ b: UInt32) -> Bool {
            UInt64(a) < UInt64(b) + UInt64(other.count) && UInt64(b) < UInt64(a) + UInt64(count)
        }
        return meet(inside, other.inside) || meet(outside, other.outside)
    }
}
