import Failure
import Foundation
import LinuxSystem
import Networks
import Synchronization
import Testing

@Suite struct AddressPoolTests {
    let root: StoreRoot
    let store: NetworkStore

    init() throws {
        root = try StoreRoot()
        store = try root.store
    }

    private func network(_ subnets: [String], range: String? = nil) throws
        -> Network
    {
        try store.create(
            try NetworkSpecification(
                name: "backend", subnets: try subnets.map { try IPPrefix($0) },
                ranges: try range.map { [try IPPrefix($0)] } ?? []), used: [])
    }

    private func assign(
        _ id: String, _ wanted: String..., on network: Network, mac: String? = nil, kept: Bool = false,
        isAlive: AddressOwner.Check = { _, _ in true }
    ) throws -> AddressAssignment {
        try store.assign(
            AddressRequest(
                containerID: id, wanted: wanted.compactMap { IPAddress($0) },
                mac: mac.flatMap { MACAddress($0) }, isKept: kept), on: network, isAlive: isAlive)
    }

    private func shown(_ assignment: AddressAssignment) -> [String] {
        assignment.addresses.map(\.description)
    }

    @Test func addressesAreGivenOneAfterTheOther() throws {
        let network = try network(["10.1.0.0/24", "fd12::/64"])
        let first = try assign("a", on: network)
        #expect(shown(first) == ["10.1.0.2/24", "fd12::2/64"])
        #expect(first.mac == MACAddress("02:42:0a:01:00:02"))
        #expect(try shown(assign("b", on: network)) == ["10.1.0.3/24", "fd12::3/64"])
        // What was given back comes back last.
        try store.release("a", on: "backend")
        #expect(try shown(assign("c", on: network)) == ["10.1.0.4/24", "fd12::4/64"])
        #expect(try store.assignment(of: "c", on: "backend") == assign("c", on: network))
        #expect(try store.holders(of: "backend") { _, _ in true }.map(\.containerID) == ["b", "c"])
        let address = try #require(IPAddress("10.1.0.3"))
        #expect(try store.owner(of: address, on: "backend") { _, _ in true }?.containerID == "b")
        for id in ["b", "c", "c"] { try store.release(id, on: "backend") }
        for part in ["addresses", "macs", "holders"] { #expect(root.names("backend/\(part)") == []) }
    }

    @Test func aRangeIsGivenToItsEndAndBeyondWhenAsked() throws {
        let network = try network(["10.1.0.0/24"], range: "10.1.0.252/30")
        // 10.1.0.255 is no host's.
        #expect(
            try (0..<3).map { try shown(assign("c\($0)", on: network))[0] } == [
                "10.1.0.252/24", "10.1.0.253/24", "10.1.0.254/24",
            ])
        let full = StoreRoot.failure { _ = try assign("d", on: network) }
        #expect(full?.code == .resourceExhausted && full?.message.contains("10.1.0.252/30") == true)
        #expect(try shown(assign("e", "10.1.0.7", on: network)) == ["10.1.0.7/24"])
        try store.release("c1", on: "backend")
        #expect(try shown(assign("d", on: network)) == ["10.1.0.253/24"])
        #expect(root.names("backend/holders") == ["c0", "c2", "d", "e"])
    }

    @Test func theGatewayIsGivenToNobody() throws {
        let network = try network(["10.1.0.0/30"])
        #expect(try shown(assign("a", on: network)) == ["10.1.0.2/30"])
        #expect(StoreRoot.failure { _ = try assign("b", on: network) }?.code == .resourceExhausted)
        #expect(root.names("backend/addresses") == ["10.1.0.2"])
    }

    @Test func wantedAddressesThatCannotBe() throws {
        let network = try network(["10.1.0.0/24", "fd12::/64"])
        _ = try assign("abcdef0123456789", "10.1.0.9", on: network, mac: "02:00:00:00:00:09")
        let wrong: [(String, Failure.Code, String)] = [
            ("10.2.0.1", .invalidArgument, "10.2.0.1 is in no subnet of network backend"),
            ("10.1.0.1", .conflict, "10.1.0.1 is the gateway of network backend"),
            ("10.1.0.255", .invalidArgument, "10.1.0.255 is no address of a host in 10.1.0.0/24"),
            ("10.1.0.0", .invalidArgument, "10.1.0.0 is no address of a host in 10.1.0.0/24"),
            ("fd12::", .invalidArgument, "fd12:: is no address of a host in fd12::/64"),
            ("10.1.0.9", .conflict, "10.1.0.9 on network backend is taken by container abcdef012345"),
        ]
        for (address, code, message) in wrong {
            let failure = StoreRoot.failure { _ = try assign("b", address, on: network) }
            #expect(failure?.code == code && failure?.message == message)
        }
        let mac = StoreRoot.failure { _ = try assign("b", on: network, mac: "02:00:00:00:00:09") }
        #expect(mac?.message == "02:00:00:00:00:09 on network backend is taken by container abcdef012345")
        #expect(
            StoreRoot.failure { _ = try assign("b", on: network, mac: "01:00:00:00:00:09") }?.code
                == .invalidArgument)
        // Of what was refused nothing is left, not of the other family either.
        #expect(root.names("backend/addresses") == ["10.1.0.9", "fd12::2"])
        #expect(root.names("backend/macs") == ["02:00:00:00:00:09"])
    }

    @Test func aMACThatSomebodyAskedFor() throws {
        let network = try network(["10.1.0.0/24"])
        _ = try assign("a", on: network, mac: "02:42:0a:01:00:03")
        let other = try assign("b", on: network)
        #expect(shown(other) == ["10.1.0.3/24"] && other.mac != MACAddress("02:42:0a:01:00:03"))
        #expect(!other.mac.isMulticast && other.mac.value >> 41 & 1 == 1)
        let six = try store.create(
            try NetworkSpecification(name: "six", subnets: [try IPPrefix("fd13::/64")]), used: [])
        #expect(try assign("a", on: six).mac.value >> 41 & 1 == 1)
    }

    /// What was asked for stays over a reboot; what was not is free after one.
    /// A container that is made with a MAC of its own, on a network that no container has been on.
    @Test func theFirstAddressIsKept() throws {
        let network = try network(["10.1.0.0/24"])
        let kept = try assign("a", on: network, mac: "02:42:00:00:00:01", kept: true)
        #expect(shown(kept) == ["10.1.0.2/24"] && kept.isKept)
        #expect(try shown(assign("b", on: network)) == ["10.1.0.3/24"])
    }

    @Test func afterAReboot() throws {
        let network = try network(["10.1.0.0/29"])
        let kept = try assign("kept", "10.1.0.4", on: network, kept: true)
        #expect(
            try FileManager.default.destinationOfSymbolicLink(
                atPath: root.path + "/networks/backend/addresses/10.1.0.4") == "kept kept")
        for (n, id) in [(2, "old"), (3, "older"), (5, "other"), (6, "another")] {
            try root.leaveFromEarlierBoot("backend/addresses/10.1.0.\(n)", id: id)
        }
        // All are taken by name, and nobody of an earlier boot has them.
        for n in [2, 3, 5, 6] {
            #expect(try shown(assign("new\(n)", on: network)) == ["10.1.0.\(n)/29"])
        }
        #expect(StoreRoot.failure { _ = try assign("more", on: network) }?.code == .resourceExhausted)
        #expect(try assign("kept", "10.1.0.4", on: network, kept: true) == kept)
        // The container of a kept one is removed.
        #expect(
            try shown(assign("more", on: network) { id, isKept in !(isKept && id == "kept") }) == [
                "10.1.0.4/29"
            ])
    }

    @Test func whatIsKeptAndWhatIsOfARunExcludeEachOther() throws {
        let network = try network(["10.1.0.0/29"])
        _ = try assign("run", "10.1.0.3", on: network)
        let kept = StoreRoot.failure { _ = try assign("kept", "10.1.0.3", on: network, kept: true) }
        #expect(kept?.message == "10.1.0.3 on network backend is taken by container run")
        _ = try assign("kept", "10.1.0.4", on: network, kept: true)
        let other = StoreRoot.failure { _ = try assign("other", "10.1.0.4", on: network) }
        #expect(other?.message == "10.1.0.4 on network backend is taken by container kept")
        #expect(root.names("backend/addresses") == ["10.1.0.3", "10.1.0.4"])
        #expect(
            try (0..<3).map { try shown(assign("c\($0)", on: network))[0] } == [
                "10.1.0.2/29", "10.1.0.5/29", "10.1.0.6/29",
            ])
        // Both at once, again and again: never both.
        try store.release("c2", on: "backend")
        let both = Mutex<Int>(0)
        for _ in 0..<50 {
            let threads = try [false, true].map { isKept in
                try Thread("addresses") { [path = root.path] in
                    guard let store = try? StoreRoot.store(path), let wanted = IPAddress("10.1.0.6") else {
                        return
                    }
                    let request = AddressRequest(
                        containerID: isKept ? "x" : "y", wanted: [wanted], isKept: isKept)
                    if (try? store.assign(request, on: network, isAlive: { _, _ in true })) != nil {
                        both.withLock { $0 += 1 }
                    }
                }
            }
            for thread in threads { thread.join() }
            #expect(
                both.withLock { count in
                    defer { count = 0 }; return count
                } <= 1)
            for id in ["x", "y"] { try store.release(id, on: "backend") }
        }
    }

    @Test func aContainerThatWantsAnotherAddressThanItHas() throws {
        let network = try network(["10.1.0.0/24"])
        _ = try assign("a", on: network)
        #expect(try shown(assign("a", "10.1.0.9", on: network)) == ["10.1.0.9/24"])
        #expect(root.names("backend/addresses") == ["10.1.0.9"])
        // Without a wish it keeps what it has.
        #expect(try shown(assign("a", on: network)) == ["10.1.0.9/24"])
        // It was taken for dead, and another has the address now: it gets one of its own.
        #expect(try shown(assign("b", "10.1.0.9", on: network) { id, _ in id != "a" }) == ["10.1.0.9/24"])
        #expect(try shown(assign("a", on: network)) != ["10.1.0.9/24"])
        try store.release("a", on: "backend")
        #expect(root.names("backend/addresses") == ["10.1.0.9"])
    }

    @Test func aNetworkInUseIsNotRemoved() throws {
        let network = try network(["10.1.0.0/24"])
        _ = try assign("abcdef0123456789", on: network)
        let failure = StoreRoot.failure { try store.remove("backend") { _, _ in true } }
        #expect(failure?.code == .conflict && failure?.message == "network backend is in use by abcdef012345")
        // Its holder is gone.
        try store.remove("backend") { _, _ in false }
        #expect(StoreRoot.failure { _ = try assign("b", on: network) }?.code == .notFound)
        // Another of the same name is not the one that was meant.
        _ = try self.network(["10.1.0.0/24"])
        #expect(StoreRoot.failure { _ = try assign("b", on: network) }?.code == .notFound)
        #expect(root.names("backend/addresses") == [] && root.names("backend/macs") == [])
    }

    @Test func theSweep() throws {
        let network = try network(["10.1.0.0/24"])
        for id in ["a", "b"] { _ = try assign(id, on: network) }
        _ = try assign("k", "10.1.0.9", on: network, kept: true)
        try root.leaveFromEarlierBoot("backend/addresses/10.1.0.77", id: "old")
        FileManager.default.createFile(atPath: root.path + "/networks/backend/holders/.x.123", contents: nil)
        #expect(
            try store.sweepAddresses(of: "backend") { id, isKept in isKept || id == "b" } == ["a", "old"])
        #expect(root.names("backend/addresses") == ["10.1.0.3", "10.1.0.9"])
        #expect(root.names("backend/holders") == ["b", "k"] && root.names("backend/macs").count == 2)
        #expect(try store.sweepAddresses(of: "nobody") { _, _ in false } == [])
    }

    /// Several processes at once, and each has addresses of its own; the sweep beside them takes none of the living.
    @Test func manyAtOnce() throws {
        let network = try network(["10.1.0.0/24", "fd12::/64"])
        let given = Mutex<[AddressAssignment]>([])
        let failures = Mutex<[String]>([])
        let threads = try (0..<8).map { worker in
            try Thread("addresses") { [path = root.path] in
                do {
                    let store = try StoreRoot.store(path)
                    for n in 0..<25 {
                        let id = "c\(worker)x\(n)"
                        let got = try store.assign(
                            AddressRequest(containerID: id), on: network, isAlive: { _, _ in true })
                        if n % 3 == 0 {
                            try store.release(id, on: "backend")
                        } else {
                            given.withLock { $0.append(got) }
                        }
                        if n % 10 == 0 { try store.sweepAddresses(of: "backend") { _, _ in true } }
                    }
                } catch { failures.withLock { $0.append("\(error)") } }
            }
        }
        for thread in threads { thread.join() }
        #expect(failures.withLock { $0 } == [])
        let all = given.withLock { $0 }
        #expect(all.count == 8 * 16)
        #expect(
            Set(all.flatMap(\.addresses)).count == 2 * all.count && Set(all.map(\.mac)).count == all.count)
        #expect(try store.holders(of: "backend") { _, _ in true }.count == all.count)
        #expect(root.names("backend/addresses").count == 2 * all.count)
    }

    /// The dead have them all: many take them at once, and none twice.
    @Test func theDeadGiveToMany() throws {
        let network = try network(["10.1.0.0/25"])
        for n in 2...126 { try root.leaveFromEarlierBoot("backend/addresses/10.1.0.\(n)", id: "old\(n)") }
        let given = Mutex<[AddressAssignment]>([])
        let threads = try (0..<5).map { worker in
            try Thread("addresses") { [path = root.path] in
                for n in 0..<25 {
                    guard let store = try? StoreRoot.store(path),
                        let got = try? store.assign(
                            AddressRequest(containerID: "c\(worker)x\(n)"), on: network,
                            isAlive: { _, _ in true })
                    else { continue }
                    given.withLock { $0.append(got) }
                }
            }
        }
        for thread in threads { thread.join() }
        let all = given.withLock { $0 }
        #expect(all.count == 125 && Set(all.flatMap(\.addresses)).count == 125)
    }
}

#if DEBUG
    @Suite struct AddressPoolCostTests {
        /// No assignment looks at the others: with 500 there it lists no directory, and makes three links: the address, the
        /// MAC, and what was given last.
        @Test func fiveHundredContainers() async throws {
            let root = try StoreRoot()
            let store = try root.store
            let network = try store.create(
                try NetworkSpecification(name: "backend", subnets: [try IPPrefix("10.1.0.0/20")]), used: [])
            for n in 0..<500 {
                _ = try store.assign(AddressRequest(containerID: "c\(n)"), on: network) { _, _ in true }
            }
            await #expect(processExitsWith: .success) { [path = root.path as String] in
                setenv("CTR_FAULT", "getdents:5@1,symlink:5@4", 1)
                let store = try StoreRoot.store(path)
                let got = try store.assign(
                    AddressRequest(containerID: "last"), on: try store.resolve("backend"),
                    isAlive: { _, _ in true })
                if got.addresses[0].description != "10.1.1.246/20" { exit(1) }
            }
            #expect(root.names("backend/addresses").count == 501)
        }
    }
#endif
