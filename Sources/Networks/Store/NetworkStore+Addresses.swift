package import Failure
internal import LinuxSystem

extension NetworkStore {
    /// Gives the container an address of each subnet, and a MAC.
    ///
    /// An address is taken by making a link of its name, which one process only can: no lock is waited for but by who takes
    /// addresses back. The next one after the last that was given is tried first, so that nobody looks at all the others, and
    /// an address comes back late. Called again for a container that has what it wants, it answers that.
    ///
    /// - Throws: `.invalidArgument` for an address that the network cannot give, `.conflict` with who has it,
    ///   `.resourceExhausted`, `.notFound` where the network is gone.
    package func assign(
        _ request: AddressRequest, on network: Network, isAlive: AddressOwner.Check
    ) throws(Failure) -> AddressAssignment {
        try check(request, on: network)
        if let earlier = try assignment(of: request.containerID, on: network.name) {
            if try satisfies(earlier, request, network) { return earlier }
            try release(request.containerID, on: network.name)
        }
        let owner = AddressOwner(containerID: request.containerID, isKept: request.isKept)
        var taken: [IPAddress] = []
        var takenMAC: MACAddress?
        do throws(Failure) {
            for subnet in network.subnets {
                guard let wanted = request.wanted.first(where: subnet.prefix.contains) else {
                    taken.append(try takeNext(of: subnet, for: owner, network, isAlive))
                    continue
                }
                try take(wanted, for: owner, network, isAlive)
                taken.append(wanted)
            }
            let mac = try takeMAC(request.mac, taken, for: owner, network, isAlive)
            takenMAC = mac
            failpoint("address.taken")
            let assignment = AddressAssignment(
                containerID: request.containerID,
                addresses: zip(taken, network.subnets).map { InterfaceAddress($0, length: $1.prefix.length) },
                mac: mac, isKept: request.isKept)
            try note(assignment, on: network)
            return assignment
        } catch {
            try? giveBack(taken, takenMAC, of: request.containerID, on: network.name)
            throw error
        }
    }

    /// Takes back what the container has. No failure where it has nothing or the network is gone.
    package func release(_ containerID: String, on network: String) throws(Failure) {
        guard let assignment = try assignment(of: containerID, on: network) else { return }
        try giveBack(assignment.addresses.map(\.address), assignment.mac, of: containerID, on: network)
    }

    /// What the container has; nil: nothing.
    package func assignment(of containerID: String, on network: String) throws(Failure) -> AddressAssignment?
    {
        guard Self.isContainerID(containerID), NetworkName.isValid(network) else { return nil }
        for book in books {
            let bytes = try during("read the addresses on network \(network)") { () throws(SystemError) in
                try AtomicFile.read("networks/\(network)/holders/\(containerID)", in: book, limit: 64 << 10)
            }
            // A write that a power cut took part of: the addresses are taken back by who wants them.
            guard let bytes, let record = try? FlatRecord(kind: Self.holderKind, parsing: bytes, name: ""),
                let mac = record.first("mac").flatMap({ MACAddress($0) }), let link = record.first("owner"),
                !AddressOwner.isVoid(link)
            else { continue }
            return AddressAssignment(
                containerID: containerID,
                addresses: record.all("address").compactMap { try? InterfaceAddress($0) }, mac: mac,
                isKept: AddressOwner(link: link).isKept)
        }
        return nil
    }

    /// The containers that have addresses, by id: the network is in use. Those that are gone are not told.
    package func holders(
        of network: String, isAlive: AddressOwner.Check
    ) throws(Failure) -> [AddressAssignment] {
        var found: [AddressAssignment] = []
        var ids: Set<String> = []
        for book in books { ids.formUnion(try list("holders", of: network, in: book)) }
        for id in ids.sorted() {
            guard let assignment = try assignment(of: id, on: network), isAlive(id, assignment.isKept) else {
                continue
            }
            found.append(assignment)
        }
        return found
    }

    /// Who has an address; nil: it is free, or its owner is gone.
    package func owner(
        of address: IPAddress, on network: String, isAlive: AddressOwner.Check
    ) throws(Failure) -> AddressOwner? {
        for book in books {
            if let link = try read("networks/\(network)/addresses/\(address)", in: book),
                AddressOwner.isAlive(link, isAlive)
            {
                return AddressOwner(link: link)
            }
        }
        return nil
    }

    /// Takes back everything of containers that are gone. Looks at every entry: for commands that nobody waits for.
    ///
    /// - Returns: the ids of those containers.
    @discardableResult
    package func sweepAddresses(of network: String, isAlive: AddressOwner.Check) throws(Failure) -> [String] {
        guard NetworkName.isValid(network), let lock = try lock(network, .exclusive) else { return [] }
        defer { _ = lock.raw }
        var gone: Set<String> = []
        for book in books {
            for part in ["addresses", "macs"] {
                for name in try list(part, of: network, in: book) {
                    let path = "networks/\(network)/\(part)/\(name)"
                    guard let link = try read(path, in: book), !AddressOwner.isAlive(link, isAlive) else {
                        continue
                    }
                    gone.insert(AddressOwner(link: link).containerID)
                    try remove(path, in: book)
                }
            }
            for id in try list("holders", of: network, in: book) {
                let assignment = try assignment(of: id, on: network)
                if let assignment, isAlive(id, assignment.isKept) { continue }
                if Self.isContainerID(id) { gone.insert(id) }
                try remove("networks/\(network)/holders/\(id)", in: book)
            }
        }
        return gone.sorted()
    }
}

// MARK: - taking

extension NetworkStore {
    private static let holderKind = "ctr-holder 1"

    /// Where addresses are written down, in the order in which they are looked for.
    private var books: [Int32] { [runtime.raw, root.raw] }

    private func book(isKept: Bool) -> Int32 { isKept ? root.raw : runtime.raw }

    /// What can be refused by looking at the request alone.
    private func check(_ request: AddressRequest, on network: Network) throws(Failure) {
        guard Self.isContainerID(request.containerID) else {
            throw Failure(
                .internal, "assign an address: \"\(request.containerID)\" is no id of a container")
        }
        try check(request.wanted, request.mac, on: network)
    }

    /// Whether a container of the network could have these, whoever has them now.
    ///
    /// - Throws: `.invalidArgument`, and `.conflict` for the gateway's address.
    package func check(
        _ wanted: [IPAddress], _ mac: MACAddress?, on network: Network
    ) throws(Failure) {
        for address in wanted {
            guard let subnet = network.subnets.first(where: { $0.prefix.contains(address) }) else {
                let subnets = network.subnets.map { $0.prefix.description }.joined(separator: ", ")
                throw Failure(
                    .invalidArgument, "\(address) is in no subnet of network \(network.name)",
                    hint: subnets.isEmpty ? "the network has no addresses" : "it has \(subnets)")
            }
            guard subnet.prefix.hosts.contains(address) else {
                throw Failure(.invalidArgument, "\(address) is no address of a host in \(subnet.prefix)")
            }
            guard address != subnet.gateway else {
                throw Failure(.conflict, "\(address) is the gateway of network \(network.name)")
            }
        }
        if let mac, mac.isMulticast || mac.isZero {
            throw Failure(.invalidArgument, "\(mac) is no MAC address of a single interface")
        }
    }

    /// It is what is wanted, and nobody has taken any of it as that of a container that was gone.
    private func satisfies(
        _ assignment: AddressAssignment, _ request: AddressRequest, _ network: Network
    ) throws(Failure) -> Bool {
        let addresses = assignment.addresses.map(\.address)
        guard assignment.isKept == request.isKept, request.wanted.allSatisfy(addresses.contains),
            request.mac == nil || request.mac == assignment.mac, addresses.count == network.subnets.count,
            zip(addresses, network.subnets).allSatisfy({ $1.prefix.contains($0) })
        else { return false }
        for name in addresses.map({ "addresses/\($0)" }) + ["macs/\(assignment.mac)"] {
            let path = "networks/\(network.name)/\(name)"
            guard let link = try read(path, in: book(isKept: assignment.isKept)), !AddressOwner.isVoid(link),
                AddressOwner(link: link).containerID == request.containerID
            else { return false }
        }
        return true
    }

    private func take(
        _ wanted: IPAddress, for owner: AddressOwner, _ network: Network, _ isAlive: AddressOwner.Check
    ) throws(Failure) {
        if let other = try take("addresses/\(wanted)", for: owner, network, isAlive) {
            throw Failure(
                .conflict,
                "\(wanted) on network \(network.name) is taken by container \(other.containerID.prefix(12))",
                hint: "choose another, or leave it to ctr")
        }
    }

    private func takeNext(
        of subnet: Network.Subnet, for owner: AddressOwner, _ network: Network,
        _ isAlive: AddressOwner.Check
    ) throws(Failure) -> IPAddress {
        let hosts = subnet.prefix.hosts
        let range =
            subnet.range.map { max($0.first, hosts.lowerBound)...min($0.last, hosts.upperBound) } ?? hosts
        let hint = "next.\(subnet.prefix.family == .v4 ? "4" : "6")"
        let last = try read("networks/\(network.name)/\(hint)", in: runtime.raw).flatMap { IPAddress($0) }
        let first = last?.advanced(by: 1).flatMap { range.contains($0) ? $0 : nil }
        let start = first ?? range.lowerBound
        var candidate = start
        repeat {
            if candidate != subnet.gateway,
                try take("addresses/\(candidate)", for: owner, network, isAlive) == nil
            {
                try write(network.name, hint: hint, candidate)
                return candidate
            }
            candidate =
                candidate.advanced(by: 1).flatMap { range.contains($0) ? $0 : nil } ?? range.lowerBound
        } while candidate != start
        throw Failure(
            .resourceExhausted,
            "network \(network.name) has no free address in \(subnet.range ?? subnet.prefix)",
            hint: "remove containers, or make a network with a larger subnet")
    }

    private func takeMAC(
        _ wanted: MACAddress?, _ addresses: [IPAddress], for owner: AddressOwner, _ network: Network,
        _ isAlive: AddressOwner.Check
    ) throws(Failure) -> MACAddress {
        if let wanted {
            if let other = try take("macs/\(wanted)", for: owner, network, isAlive) {
                throw Failure(
                    .conflict,
                    "\(wanted) on network \(network.name) is taken by container "
                        + other.containerID.prefix(12))
            }
            return wanted
        }
        for case .v4(let address) in addresses {
            let mac = MACAddress(of: address)
            // Somebody may have asked for just that.
            if try take("macs/\(mac)", for: owner, network, isAlive) == nil { return mac }
        }
        while true {
            let mac = MACAddress.random()
            if try take("macs/\(mac)", for: owner, network, isAlive) == nil { return mac }
        }
    }

    /// nil: it is the owner's now; else who has it.
    private func take(
        _ name: String, for owner: AddressOwner, _ network: Network, _ isAlive: AddressOwner.Check
    ) throws(Failure) -> AddressOwner? {
        let path = "networks/\(network.name)/\(name)"
        let own = book(isKept: owner.isKept)
        while true {
            if try link(path, owner, network) { break }
            if let other = try living(path, in: own, network, isAlive) { return other }
        }
        // Written first and then looked for in the other book: of two who want the same at once, one sees the other.
        guard let other = try living(path, in: book(isKept: !owner.isKept), network, isAlive) else {
            return nil
        }
        try remove(path, in: own)
        return other
    }

    /// Who has it; nil: nobody, and what the dead had is free now.
    private func living(
        _ path: String, in book: Int32, _ network: Network, _ isAlive: AddressOwner.Check
    ) throws(Failure) -> AddressOwner? {
        guard let link = try read(path, in: book) else { return nil }
        if AddressOwner.isAlive(link, isAlive) { return AddressOwner(link: link) }
        // Under the lock, and only if it is still that one's.
        guard let lock = try lock(network.name, .exclusive) else { throw Self.gone(network) }
        defer { _ = lock.raw }
        if try read(path, in: book) == link { try remove(path, in: book) }
        return nil
    }

    /// Answers false where it is there already.
    private func link(_ path: String, _ owner: AddressOwner, _ network: Network) throws(Failure) -> Bool {
        // Against the removal of the network.
        guard let lock = try lock(network.name, .shared) else { throw Self.gone(network) }
        defer { _ = lock.raw }
        return try during("take an address on network \(network.name)") { () throws(SystemError) in
            var isMade = false
            while true {
                do throws(SystemError) {
                    try Directory.symlink(owner.link, at: path, in: book(isKept: owner.isKept))
                    return true
                } catch {
                    if error.isExists { return false }
                    guard error.isMissing, !owner.isKept, !isMade else { throw error }
                }
                isMade = true
                try makeRuntimePlaces(of: network.name)
            }
        }
    }

    private func makeRuntimePlaces(of network: String) throws(SystemError) {
        try Directory.ensure("networks", in: runtime.raw)
        // Addresses last: who finds them there finds all.
        for part in ["", "/holders", "/macs", "/addresses"] {
            try Directory.ensure("networks/\(network)\(part)", in: runtime.raw)
        }
    }

    private func note(_ assignment: AddressAssignment, on network: Network) throws(Failure) {
        guard let lock = try lock(network.name, .shared),
            // Another of the same name may have been made meanwhile.
            try find(named: network.name)?.id == network.id
        else { throw Self.gone(network) }
        defer { _ = lock.raw }
        var record = FlatRecord(kind: Self.holderKind)
        record.add("address", all: assignment.addresses.map(\.description))
        record.add("mac", assignment.mac.description)
        record.add(
            "owner", AddressOwner(containerID: assignment.containerID, isKept: assignment.isKept).link)
        try during("note the addresses on network \(network.name)") { () throws(SystemError) in
            let path = "networks/\(network.name)"
            let holders = try Directory.open("\(path)/holders", in: book(isKept: assignment.isKept))
            try AtomicFile.write(
                record.bytes, to: assignment.containerID, in: holders.raw, durable: assignment.isKept)
            guard assignment.isKept else { return }
            for part in ["addresses", "macs"] {
                let directory = try Directory.open("\(path)/\(part)", in: root.raw)
                try AtomicFile.synchronize(directory: directory.raw)
            }
        }
    }

    private func giveBack(
        _ addresses: [IPAddress], _ mac: MACAddress?, of containerID: String, on network: String
    ) throws(Failure) {
        guard let lock = try lock(network, .exclusive) else { return }
        defer { _ = lock.raw }
        let path = "networks/\(network)"
        // First: what is left of a process that dies here has no holder, and its links are void with the container.
        for book in books { try remove("\(path)/holders/\(containerID)", in: book) }
        failpoint("address.released")
        let links = addresses.map { "addresses/\($0)" } + (mac.map { ["macs/\($0)"] } ?? [])
        for book in books {
            for name in links {
                guard let link = try read("\(path)/\(name)", in: book),
                    AddressOwner(link: link).containerID == containerID
                else { continue }
                try remove("\(path)/\(name)", in: book)
            }
        }
    }

    private static func gone(_ network: Network) -> Failure {
        Failure(.notFound, "network \(network.name) was removed")
    }
}

// MARK: - files

extension NetworkStore {
    /// A link's text; nil where there is none.
    private func read(_ path: String, in book: Int32) throws(Failure) -> String? {
        try during("read \(path)") { () throws(SystemError) in
            do throws(SystemError) {
                return String(decoding: try Directory.readLink(path, in: book).bytes, as: UTF8.self)
            } catch {
                if error.isMissing { return nil }
                throw error
            }
        }
    }

    private func remove(_ path: String, in book: Int32) throws(Failure) {
        try during("remove \(path)") { () throws(SystemError) in
            do throws(SystemError) {
                try Directory.removeFile(path, in: book)
            } catch {
                if !error.isMissing { throw error }
            }
        }
    }

    private func write(_ network: String, hint: String, _ address: IPAddress) throws(Failure) {
        // Against the removal of the network: its places are not to be made again.
        guard let lock = try lock(network, .shared) else { return }
        defer { _ = lock.raw }
        try during("write networks/\(network)/\(hint)") { () throws(SystemError) in
            let fresh = "networks/\(network)/.\(hint).\(randomHex(bytes: 6))"
            do throws(SystemError) {
                try Directory.symlink(address.description, at: fresh, in: runtime.raw)
            } catch {
                // Where the first address of a network since the boot is a kept one.
                guard error.isMissing else { throw error }
                try makeRuntimePlaces(of: network)
                try Directory.symlink(address.description, at: fresh, in: runtime.raw)
            }
            try Directory.rename(
                fresh, in: runtime.raw, to: "networks/\(network)/\(hint)", in: runtime.raw)
        }
    }

    private func list(_ part: String, of network: String, in book: Int32) throws(Failure) -> [String] {
        try during("list the addresses of network \(network)") { () throws(SystemError) in
            do throws(SystemError) {
                return try Directory.names(
                    in: try Directory.open("networks/\(network)/\(part)", in: book))
            } catch {
                if error.isMissing { return [] }
                throw error
            }
        }
    }

    /// One name of a file, whatever the form of ids is.
    private static func isContainerID(_ text: String) -> Bool {
        (1...128).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0 | 0x20) }
    }
}
