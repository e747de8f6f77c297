package import Failure
package import LinuxSystem
package import Networks

/// The names of one network, shared by all processes without one that owns them. It is for one boot: on a tmpfs, nothing
/// is synced.
///
/// ```
/// lock                     flock: shared by who registers, exclusive for the sweep
/// endpoints/<id>           an endpoint; here it is, or it is not
/// names/<name>/<id>        a link to it, by each name in lower case
/// addresses/<address>      a link to it
/// away/<id>.<reason>       it is not to be answered now
/// ```
///
/// The endpoint's own file is the truth, and written last and removed first: whoever is killed before or after leaves
/// links that lead nowhere, which count for nothing. A question opens its name, `away`, and one file for each endpoint there.
package struct EndpointDirectory: Sendable {
    package let root: SharedFileDescriptor

    /// Makes what is missing.
    package init(path: String) throws(Failure) {
        root = try during("open the names in \(path)") { () throws(SystemError) in
            try Directory.ensurePath(path)
            let root = try Directory.open(path)
            for part in ["endpoints", "names", "addresses", "away"] {
                try Directory.ensure(part, in: root.raw)
            }
            return SharedFileDescriptor(root)
        }
    }

    /// For who only asks: nil where nobody has ever registered.
    package init?(existing path: String) throws(Failure) {
        let found = try during("open the names in \(path)") {
            () throws(SystemError) -> SharedFileDescriptor? in
            do throws(SystemError) {
                return SharedFileDescriptor(try Directory.open(path))
            } catch {
                if error.isMissing { return nil }
                throw error
            }
        }
        guard let found else { return nil }
        root = found
    }

    /// Why an endpoint leaves the answers while it is there.
    package enum Absence: String, CaseIterable, Sendable {
        case unhealthy, stopping, paused
    }
}

// MARK: - who registers

extension EndpointDirectory {
    /// Takes the endpoint in, in the place of an earlier one of the same container, and with nothing held against it unless
    /// that is to be kept. An address that another endpoint had is this one's from now on.
    ///
    /// Two calls for one container must not run side by side: the container's lock is the caller's.
    package func register(_ endpoint: NamedEndpoint, keepingAbsences: Bool = false) throws(Failure) {
        let id = endpoint.containerID
        guard Self.isID(id) else {
            throw Failure(.internal, "register a name: \"\(id)\" is no id of a container")
        }
        let earlier = try self.endpoint(of: id)
        try during("register the names of \(endpoint.name)") { () throws(SystemError) in
            let lock = try FileLock("lock", in: root.raw, .shared)
            defer { _ = lock.raw }
            for absence in Absence.allCases where !keepingAbsences {
                try remove("away/\(id).\(absence.rawValue)")
            }
            for name in endpoint.indexedNames { try link(name, to: id) }
            failpoint("names.linked")
            for address in endpoint.addresses { try link(address, to: id) }
            let endpoints = try Directory.open("endpoints", in: root.raw)
            try AtomicFile.write(endpoint.record.bytes, to: id, in: endpoints.raw, durable: false)
            failpoint("names.registered")
            if let earlier { try unlink(earlier, except: endpoint) }
        }
    }

    /// Takes it out of the answers, or back where nothing else is held against it. Of one that is not there: no error.
    package func set(_ absence: Absence, _ isAway: Bool, of id: String) throws(Failure) {
        guard Self.isID(id) else { return }
        try during("mark the names of \(id.prefix(12))") { () throws(SystemError) in
            let mark = "away/\(id).\(absence.rawValue)"
            guard isAway else { return try remove(mark) }
            let lock = try FileLock("lock", in: root.raw, .shared)
            defer { _ = lock.raw }
            guard try FileDescriptor.exists("endpoints/\(id)", in: root.raw) else { return }
            _ = try FileDescriptor.open(mark, in: root.raw, [.writeOnly, .create, .noFollow])
        }
    }

    /// No failure when it was not there.
    package func unregister(_ id: String) throws(Failure) {
        guard Self.isID(id) else { return }
        // What is damaged goes too; its links are the sweep's.
        let endpoint = try? self.endpoint(of: id)
        try during("remove the names of \(id.prefix(12))") { () throws(SystemError) in
            try remove("endpoints/\(id)")
            failpoint("names.removed")
            if let endpoint { try unlink(endpoint, except: nil) }
            for absence in Absence.allCases { try remove("away/\(id).\(absence.rawValue)") }
        }
    }

    /// Removes endpoints whose container is gone, and what killed processes left. Looks at every entry: for commands that
    /// nobody waits for.
    ///
    /// - Parameter isAlive: by the container's id; asked while nobody can register.
    /// - Returns: the ids of what was removed.
    @discardableResult
    package func sweep(isAlive: (String) -> Bool) throws(Failure) -> [String] {
        let lock = try during("sweep the names of a network") { () throws(SystemError) in
            try FileLock("lock", in: root.raw, .exclusive)
        }
        defer { _ = lock.raw }
        var removed: [String] = []
        var living: Set<String> = []
        for id in try list("endpoints") {
            if Self.isID(id), isAlive(id) {
                living.insert(id)
            } else if Self.isID(id) {
                try unregister(id)
                removed.append(id)
            } else {
                try during("sweep the names of a network") { () throws(SystemError) in
                    try remove("endpoints/\(id)")
                }
            }
        }
        try sweepLinks(living)
        return removed
    }

    private func sweepLinks(_ living: Set<String>) throws(Failure) {
        for name in try list("names") {
            let ids = try list("names/\(name)")
            try during("sweep the names of a network") { () throws(SystemError) in
                for id in ids where !living.contains(id) { try remove("names/\(name)/\(id)") }
                try removeIfEmpty(name)
            }
        }
        for address in try list("addresses") {
            try during("sweep the names of a network") { () throws(SystemError) in
                let owner = try owner(ofLink: "addresses/\(address)")
                if owner.map({ !living.contains($0) }) ?? true { try remove("addresses/\(address)") }
            }
        }
        for mark in try list("away") where !living.contains(String(mark.prefix { $0 != "." })) {
            try during("sweep the names of a network") { () throws(SystemError) in try remove("away/\(mark)")
            }
        }
    }

    private func link(_ name: String, to id: String) throws(SystemError) {
        while true {
            try Directory.ensure("names/\(name)", in: root.raw)
            do throws(SystemError) {
                return try Directory.symlink(
                    "../../endpoints/\(id)", at: "names/\(name)/\(id)", in: root.raw)
            } catch {
                if error.isExists { return }
                // Who took the last link away took the directory too.
                guard error.isMissing else { throw error }
            }
        }
    }

    private func link(_ address: IPAddress, to id: String) throws(SystemError) {
        let fresh = "addresses/.\(address).\(randomHex(bytes: 6))"
        try Directory.symlink("../endpoints/\(id)", at: fresh, in: root.raw)
        try Directory.rename(fresh, in: root.raw, to: "addresses/\(address)", in: root.raw)
    }

    private func unlink(_ endpoint: NamedEndpoint, except kept: NamedEndpoint?) throws(SystemError) {
        let names = kept?.indexedNames ?? []
        for name in endpoint.indexedNames where !names.contains(name) {
            try remove("names/\(name)/\(endpoint.containerID)")
            try removeIfEmpty(name)
        }
        for address in endpoint.addresses where kept?.addresses.contains(address) != true {
            if try owner(ofLink: "addresses/\(address)") == endpoint.containerID {
                try remove("addresses/\(address)")
            }
        }
    }

    private func removeIfEmpty(_ name: String) throws(SystemError) {
        do throws(SystemError) {
            try Directory.removeEmpty("names/\(name)", in: root.raw)
        } catch {
            guard error.isMissing || error.code == .conflict else { throw error }
        }
    }

    private func remove(_ name: String) throws(SystemError) {
        do throws(SystemError) {
            try Directory.removeFile(name, in: root.raw)
        } catch {
            guard error.isMissing else { throw error }
        }
    }

    /// nil where it is gone.
    private func owner(ofLink link: String) throws(SystemError) -> String? {
        do throws(SystemError) {
            let target = try Directory.readLink(link, in: root.raw).bytes
            return String(decoding: target.suffix(64), as: UTF8.self)
        } catch {
            if error.isMissing || error.isInvalid { return nil }
            throw error
        }
    }

    private func list(_ name: String) throws(Failure) -> [String] {
        try during("list the names of a network") { () throws(SystemError) in
            do throws(SystemError) {
                return try Directory.names(in: try Directory.open(name, in: root.raw))
            } catch {
                if error.isMissing { return [] }
                throw error
            }
        }
    }

    private static func isID(_ text: String) -> Bool {
        text.utf8.count == 64
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

// MARK: - who asks

extension EndpointDirectory {
    /// Those of a name, and whether they are to be answered; sorted by id. Empty: the name is nobody's here.
    ///
    /// - Parameter name: of `DomainName.hostName`.
    package func endpoints(named name: String) throws(Failure) -> [(
        endpoint: NamedEndpoint, isAnswering: Bool
    )] {
        // As one name of a file: longer ones exist in no message.
        guard !name.isEmpty, name.utf8.count <= 253, name.utf8.first != UInt8(ascii: ".") else { return [] }
        return try endpoints(list("names/\(name)")) { $0.isNamed(name) }
    }

    /// What is held against anybody is looked for once: it is little.
    private func endpoints(_ ids: [String], where isMeant: (NamedEndpoint) -> Bool) throws(Failure) -> [(
        endpoint: NamedEndpoint, isAnswering: Bool
    )] {
        if ids.isEmpty { return [] }
        var away: Set<String> = []
        for mark in try list("away") { away.insert(String(mark.prefix { $0 != "." })) }
        var found: [(endpoint: NamedEndpoint, isAnswering: Bool)] = []
        for id in ids {
            guard let endpoint = try endpoint(of: id), isMeant(endpoint) else { continue }
            found.append((endpoint, !away.contains(id)))
        }
        return found
    }

    /// Whose address it is; also of one that is not to be answered by its name.
    package func endpoint(at address: IPAddress) throws(Failure) -> NamedEndpoint? {
        let id = try during("look for \(address)") { () throws(SystemError) in
            try owner(ofLink: "addresses/\(address)")
        }
        guard let id, let endpoint = try endpoint(of: id), endpoint.addresses.contains(address) else {
            return nil
        }
        return endpoint
    }

    package func endpoint(of id: String) throws(Failure) -> NamedEndpoint? {
        guard Self.isID(id) else { return nil }
        let bytes = try during("read the endpoint of \(id.prefix(12))") { () throws(SystemError) in
            try AtomicFile.read("endpoints/\(id)", in: root.raw, limit: 64 << 10)
        }
        guard let bytes else { return nil }
        return try NamedEndpoint(parsing: bytes, id: id)
    }

    /// Everyone, by id; looks at every file.
    package func all() throws(Failure) -> [(endpoint: NamedEndpoint, isAnswering: Bool)] {
        try endpoints(list("endpoints")) { _ in true }
    }
}
