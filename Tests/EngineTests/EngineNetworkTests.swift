import Failure
import LinuxSystem
import Networks
import Testing

@testable import Engine

private let canMakeNetworks = Process.isRoot && (try? NetworkNamespace.make()) != nil

/// Networks of an engine whose host is a network namespace of the test.
@Suite(.enabled(if: canMakeNetworks, "not run: needs root and network namespaces"))
struct EngineNetworkTests {
    private let scratch: ScratchRoot
    private let host: SharedFileDescriptor
    private var engine: Engine { scratch.engine }

    init() throws {
        scratch = try ScratchRoot()
        host = SharedFileDescriptor(try NetworkNamespace.make())
    }

    private func onHost<R>(_ body: () throws -> R) throws -> R {
        var result: Result<R, any Error>?
        try NetworkNamespace.inside(host.raw) { () throws(SystemError) in result = Result { try body() } }
        return try #require(result).get()
    }

    private func refusal(_ body: () throws -> Void) throws -> Failure? { try onHost { failure(body) } }

    @discardableResult
    private func make(
        _ name: String, _ subnets: String..., with change: (inout NetworkCreation) -> Void = { _ in }
    ) throws -> String {
        var request = NetworkCreation(name: name)
        request.subnets = try subnets.map { try IPPrefix($0) }
        change(&request)
        return try onHost { try engine.createNetwork(request) }
    }

    private func settings(_ words: String...) throws -> ContainerSettings {
        var request = NetworkRequest()
        request.words = try words.map { try NetworkWord(parsing: $0) }
        var settings = ContainerSettings()
        _ = try request.fill(&settings)
        return settings
    }

    /// A container that was created and never started.
    private func container(_ name: String, _ settings: ContainerSettings) throws {
        var record = ContainerRecord(
            id: ContainerID.random(), created: 17, image: "x", imageID: "sha256:1",
            manifestDigest: "sha256:2",
            layers: [], platform: "linux/amd64", settings: settings)
        try engine.containerStore.create(&record, name: name, durable: false) { _, _ in }
    }

    @Test func thePredefinedAreThereAtOnce() throws {
        #expect(try onHost { try engine.networks().map(\.name) } == ["bridge", "host", "none"])
        let subnet = try #require(try onHost { try engine.network("default").subnets.first })
        #expect(subnet.prefix.description == "10.208.0.0/20")
    }

    @Test func aSubnetIsBesideTheHostsRoutes() throws {
        try onHost {
            var routes = try RouteSocket()
            try routes.addBridge("lan0")
            let index = try routes.index(of: "lan0")
            try routes.add(InterfaceAddress("10.208.7.1/16"), to: index)
        }
        try make("one")
        #expect(
            try onHost { try engine.network("one").subnets.map(\.prefix.description) } == ["10.209.16.0/20"])
        let clash = try refusal {
            var request = NetworkCreation(name: "two")
            request.subnets = [try IPPrefix("10.208.128.0/24")]
            _ = try engine.createNetwork(request)
        }
        #expect(clash?.code == .conflict)
        #expect(clash?.message.contains("10.208.0.0/16") == true && clash?.message.contains("lan0") == true)
        let ours = try refusal {
            var request = NetworkCreation(name: "two")
            request.subnets = [try IPPrefix("10.209.16.0/24")]
            _ = try engine.createNetwork(request)
        }
        #expect(ours?.message.contains("network one") == true, "\(String(describing: ours))")
        #expect(try onHost { try engine.networks().count } == 4)
    }

    @Test(
        arguments: [
            ("overlay", ["a=b"], "overlay"), ("host", [], "host"), ("none", [], "none"),
            ("bridge", ["colour=red"], "colour"), ("bridge", ["parent=eth0"], "parent"),
            ("bridge", ["mtu=67"], "mtu=67"), ("bridge", ["mtu=x"], "mtu=x"),
            ("bridge", ["com.docker.network.bridge.enable_ip_masquerade=perhaps"], "perhaps"),
            ("bridge", ["com.docker.network.bridge.host_binding_ipv4=::1"], "::1"),
            ("bridge", ["com.docker.network.bridge.name=sixteen-letters-"], "sixteen-letters-"),
            ("macvlan", [], "parent"), ("macvlan", ["parent=gone0"], "gone0"),
            ("macvlan", ["parent=lo", "macvlan_mode=odd"], "odd"),
        ] as [(String, [String], String)])
    func optionsThatCannotBe(_ driver: String, _ options: [String], _ says: String) throws {
        let found = try refusal {
            var request = NetworkCreation(name: "one")
            request.driver = driver
            request.options = options
            _ = try engine.createNetwork(request)
        }
        #expect(found?.message.contains(says) == true, "\(String(describing: found))")
        #expect(!scratch.names("networks").contains("one"))
    }

    // MARK: attachments

    @Test func anIDBecomesAName() throws {
        let id = try make("back")
        try onHost {
            let whole = try engine.resolved(settings(id))
            #expect(whole.network == "back" && whole.networking.attachments.map(\.network) == ["back"])
            let short = try engine.resolved(settings("bridge", String(id.prefix(12))))
            #expect(short.networking.attachments.map(\.network) == ["bridge", "back"])
            let none = try engine.resolved(settings(Network.none.id))
            #expect(none.network == "none" && none.networking.attachments.isEmpty)
        }
    }

    @Test(
        arguments: [
            ("front", "no such network: front"), ("back,ip=10.6.0.5", "10.6.0.5"),
            ("back,ip=10.5.0.1", "gateway"), ("back,ip=10.5.0.255", "10.5.0.255"),
            ("back,ip6=fd00::5", "fd00::5"), ("back,ip=10.5.0.7", "db"),
            ("back,mac=02:42:0a:05:00:07", "db"),
        ])
    func whatACreateRefuses(_ word: String, _ says: String) throws {
        try make("back", "10.5.0.0/24")
        try container("db", settings("back,ip=10.5.0.7,mac=02:42:0a:05:00:07"))
        let found = try refusal { _ = try engine.resolved(settings(word)) }
        #expect(found?.message.contains(says) == true, "\(String(describing: found))")
        try onHost { _ = try engine.resolved(settings("back,ip=10.5.0.8,mac=02:42:0a:05:00:08")) }
    }

    @Test func anAddressThatIsGivenIsTaken() throws {
        try make("back", "10.5.0.0/24")
        try container("db", settings("back"))
        try onHost {
            let id = try engine.container("db").id
            let network = try engine.network("back")
            let address = try #require(IPAddress("10.5.0.9"))
            _ = try engine.networkStore().assign(
                AddressRequest(containerID: id, wanted: [address], isKept: true), on: network
            ) { _, _ in true }
        }
        let found = try refusal { _ = try engine.resolved(settings("back,ip=10.5.0.9")) }
        #expect(found?.code == .conflict && found?.message.contains("container db") == true)
    }

    @Test func portsNeedAWayIn() throws {
        try make("inner", "10.5.0.0/24") { $0.isInternal = true }
        try make("outer", "10.6.0.0/24")
        var only = try settings("inner")
        only.networking.ports = [try PortRequest(parsing: "80:80")]
        #expect(try refusal { _ = try engine.resolved(only) }?.message.contains("inner is internal") == true)
        var both = try settings("inner", "outer")
        both.networking.ports = only.networking.ports
        #expect(try onHost { try engine.resolved(both) } == both)
        both = try settings("inner", "bridge")
        both.networking.ports = only.networking.ports
        #expect(try onHost { try engine.resolved(both) } == both)
    }

    // MARK: removal

    @Test func whoIsOnANetworkKeepsIt() throws {
        let id = try make("back")
        try container("db", settings("back"))
        try container("web", settings("bridge", "back"))
        let found = try refusal { try engine.removeNetwork(id) }
        #expect(found?.code == .conflict)
        #expect(found?.message == "network back is in use by db, web")
        #expect(try onHost { try engine.pruneNetworks([engine.network("back")]) } == [])
        #expect(try onHost { try engine.prunableNetworks() } == [])
        for name in ["bridge", "host", "none", "default"] {
            #expect(try refusal { try engine.removeNetwork(name) }?.message.contains("always there") == true)
        }
    }

    @Test func theBridgeGoesWithItsNetwork() throws {
        try make("back", "10.5.0.0/24")
        try onHost {
            let network = try engine.network("back")
            let proc = try Directory.open("/proc")
            var host = try HostNetwork(engine.hostNames, proc: proc.raw)
            try host.ensure(try #require(network.bridge))
            try host.rules.replaceAll(HostRules.Contents(networks: [try #require(network.bridge)]))
            #expect(try host.routes.link(named: network.bridgeName) != nil)
            #expect(try engine.removeNetwork("back") == "back")
            #expect(try host.routes.link(named: network.bridgeName) == nil)
        }
        #expect(!scratch.names("networks").contains("back"))
    }

    /// `-o com.docker.network.bridge.name=` of a bridge that the administrator has made.
    @Test func aBridgeWithTheHostsOwnDevicesStays() throws {
        try make("back", "10.5.0.0/24") { $0.options = ["com.docker.network.bridge.name=br0"] }
        let other = SharedFileDescriptor(try NetworkNamespace.make())
        try onHost {
            let proc = try Directory.open("/proc")
            var host = try HostNetwork(engine.hostNames, proc: proc.raw)
            try host.routes.addBridge("br0")
            let index = try host.routes.index(of: "br0")
            try host.routes.addVeth(
                VethEnd(name: "uplink"), peer: VethEnd(name: "wire"), in: other.raw, bridge: index)
            try engine.removeNetwork("back")
            #expect(try host.routes.link(named: "br0") != nil)
        }
    }

    @Test func nothingIsExposedWithoutRules() throws {
        #expect(try onHost { try engine.exposedPorts().isEmpty })
    }

    @Test func whatTheRulesLetInIsShown() throws {
        try container("web", settings("bridge"))
        try onHost {
            let id = try engine.container("web").id
            let proc = try Directory.open("/proc")
            var host = try HostNetwork(engine.hostNames, proc: proc.raw)
            let target = try #require(IPAddress("10.5.0.7"))
            try host.rules.replaceAll(
                HostRules.Contents(published: [
                    PublishedPort(.tcp, hostPorts: 8080...8080, target: target, targetPort: 80, owner: id)
                ]))
            let found = try engine.exposedPorts()
            #expect(found.map { $0.container?.name } == ["web"])
            #expect(found.first?.port.hostPorts == 8080...8080)
        }
    }
}
