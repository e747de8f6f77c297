import Failure
import Networks
import Testing

@testable import Engine

/// From the flags of `run` and `create` to settings.
@Suite struct NetworkRequestTests {
    private func attachment(_ text: String) throws -> NetworkAttachment {
        guard case .network(let attachment) = try NetworkWord(parsing: text) else {
            throw Failure(.internal, "\(text) is a mode")
        }
        return attachment
    }

    private func request(_ words: String...) throws -> NetworkRequest {
        var request = NetworkRequest()
        request.words = try words.map { try NetworkWord(parsing: $0) }
        return request
    }

    private func settings(_ request: NetworkRequest) throws -> ContainerSettings {
        var settings = ContainerSettings()
        _ = try request.fill(&settings)
        return settings
    }

    // MARK: --network

    @Test(arguments: ["host", "none", "container:db", "ns:/run/netns/x"])
    func modes(_ text: String) throws {
        #expect(try NetworkWord(parsing: text) == .mode(text))
        let settings = try settings(request(text))
        #expect(settings.network == text && settings.networking == NetworkSettings())
    }

    @Test(arguments: ["bridge", "default", "private"])
    func wordsForTheDefaultNetwork(_ text: String) throws {
        #expect(try attachment(text) == NetworkAttachment("bridge"))
    }

    @Test(
        arguments: [
            "back,alias=a,alias=b,ip=10.1.0.5,ip6=fd00::5,mac=02:42:0a:01:00:05,link-local-ip=169.254.1.1,interface=up0",
            "name=back,alias=a,alias=b,ip=10.1.0.5,ip6=fd00::5,mac-address=02:42:0a:01:00:05,link-local-ip=169.254.1.1,interface=up0",
            "alias=a,name=back,alias=b,ip=10.1.0.5,ip6=fd00::5,mac-address=02:42:0a:01:00:05,link-local-ip=169.254.1.1,interface=up0",
            "back:alias=a,alias=b,ip=10.1.0.5,ip6=fd00::5,mac=02:42:0a:01:00:05,link-local-ip=169.254.1.1,interface_name=up0",
        ])
    func dockersAndPodmansForms(_ text: String) throws {
        let found = try attachment(text)
        #expect(found.network == "back" && found.aliases == ["a", "b"] && found.interface == "up0")
        #expect(found.addresses.map(\.description) == ["10.1.0.5", "fd00::5"])
        #expect(found.mac?.description == "02:42:0a:01:00:05")
        #expect(found.linkLocal.map(\.description) == ["169.254.1.1"])
    }

    @Test(
        arguments: [
            ("", "no network"), ("alias=a", "no network"), ("a b", "a b"), ("../x", "../x"), ("-x", "-x"),
            ("back,ip=10.1.0", "10.1.0"), ("back,ip=fd00::5", "fd00::5"), ("back,ip6=10.1.0.5", "10.1.0.5"),
            ("back,ip=0.0.0.0", "0.0.0.0"), ("back,ip=224.0.0.1", "224.0.0.1"),
            ("back,ip=127.0.0.1", "127.0.0.1"), ("back,ip=10.1.0.5,ip=10.1.0.6", "two addresses"),
            ("back,mac=01:00:5e:00:00:01", "01:00:5e"), ("back,mac=00:00:00:00:00:00", "00:00"),
            ("back,mac=zz", "zz"), ("back,link-local-ip=10.0.0.1", "10.0.0.1"),
            ("back,interface=lo", "lo"), ("back,interface=0123456789abcdef", "0123456789abcdef"),
            ("back,interface=a/b", "a/b"), ("back,alias=a b", "a b"), ("back,alias=", "\"\""),
            ("back,alias=-a", "-a"), ("back,alias=a..b", "a..b"), ("back,colour=red", "colour"),
            ("back,colour", "KEY=VALUE"), ("back,", "KEY=VALUE"), ("host,ip=10.1.0.5", "host"),
            ("container:", "container:"), ("ns:", "ns:"), ("ns:relative", "relative"), ("back\n", "back"),
        ])
    func whatIsNoNetwork(_ text: String, _ says: String) {
        let found = failure { _ = try NetworkWord(parsing: text) }
        #expect(found?.code == .invalidArgument)
        #expect(found?.message.contains(says) == true, "\(String(describing: found))")
    }

    // MARK: together

    @Test func withoutAFlagItIsTheBridge() throws {
        let settings = try settings(NetworkRequest())
        #expect(settings.network == "bridge")
        #expect(settings.networking.attachments == [NetworkAttachment("bridge")])
    }

    @Test func theDefaultCanBeAnother() throws {
        var request = NetworkRequest()
        request.defaultWord = try NetworkWord(parsing: "back,alias=a")
        #expect(try settings(request).networking.attachments == [attachment("back,alias=a")])
        request.defaultWord = .mode("none")
        #expect(try settings(request).network == "none")
        request.words = [.mode("host")]
        #expect(try settings(request).network == "host")
    }

    @Test func severalNetworksKeepTheirOrder() throws {
        let settings = try settings(request("back", "bridge", "front,ip=10.1.0.5"))
        #expect(settings.network == "back")
        #expect(settings.networking.attachments.map(\.network) == ["back", "bridge", "front"])
    }

    @Test func flagsOfTheirOwnAreTheFirstNetworks() throws {
        var request = try request("back,ip6=fd00::5", "front,alias=c")
        request.aliases = ["a", "b"]
        request.ip = IPAddress("10.1.0.5")
        request.mac = MACAddress("02:42:0a:01:00:05")
        request.linkLocal = [IPAddress("fe80::7")].compactMap { $0 }
        let attachments = try settings(request).networking.attachments
        #expect(attachments[0].aliases == ["a", "b"] && attachments[1].aliases == ["c"])
        #expect(attachments[0].addresses.map(\.description) == ["10.1.0.5", "fd00::5"])
        #expect(attachments[0].mac == request.mac && attachments[0].linkLocal == request.linkLocal)
        #expect(attachments[1].addresses.isEmpty && attachments[1].mac == nil)
    }

    @Test(
        arguments: [
            ("back,alias=x", "--network-alias"), ("back,ip=10.1.0.6", "--ip "), ("back,ip6=fd00::6", "--ip6"),
            ("back,mac=02:42:0a:01:00:06", "--mac-address"),
            ("back,link-local-ip=fe80::6", "--link-local-ip"),
        ])
    func bothFormsAreRefused(_ word: String, _ says: String) throws {
        var request = try request(word)
        request.aliases = ["a"]
        request.ip = IPAddress("10.1.0.5")
        request.ip6 = IPAddress("fd00::5")
        request.mac = MACAddress("02:42:0a:01:00:05")
        request.linkLocal = [IPAddress("fe80::7")].compactMap { $0 }
        let found = failure { _ = try settings(request) }
        #expect(found?.message.contains("conflicting options: cannot specify both \(says)") == true)
    }

    @Test(
        arguments: [
            (["back", "host"], "user-defined"), (["none", "back"], "user-defined"),
            (["host", "host"], "user-defined"), (["back", "back,ip=10.1.0.5"], "multiple times"),
            (["default", "bridge"], "multiple times"),
            (["a,interface=x0", "b,interface=x0"], "x0"),
        ])
    func networksThatDoNotGoTogether(_ words: [String], _ says: String) throws {
        var request = NetworkRequest()
        request.words = try words.map { try NetworkWord(parsing: $0) }
        #expect(failure { _ = try settings(request) }?.message.contains(says) == true)
    }

    // MARK: modes and the other flags

    @Test(arguments: ["host", "none", "container:db", "ns:/x"])
    func withoutANetworkOfItsOwnThereIsNoAddress(_ mode: String) throws {
        let changes: [(inout NetworkRequest) -> Void] = [
            { $0.ip = IPAddress("10.1.0.5") }, { $0.ip6 = IPAddress("fd00::5") },
            { $0.mac = MACAddress("02:42:0a:01:00:05") }, { $0.aliases = ["a"] },
            { $0.linkLocal = [IPAddress("fe80::7")].compactMap { $0 } },
        ]
        for change in changes {
            var request = try request(mode)
            change(&request)
            #expect(failure { _ = try settings(request) }?.code == .invalidArgument)
        }
    }

    @Test func portsOfTheHostsNetworkAreDropped() throws {
        for mode in ["host", "none"] {
            var request = try request(mode)
            request.ports = [try PortRequest(parsing: "80:80")]
            request.publishesAll = true
            var settings = ContainerSettings()
            let warnings = try request.fill(&settings)
            #expect(warnings.count == 1 && warnings[0].contains("Published ports are discarded"))
            #expect(settings.networking.ports.isEmpty && !settings.networking.publishesAll)
        }
    }

    @Test func anothersNetworkIsAnothersBusiness() throws {
        let changes: [(String, (inout NetworkRequest, inout ContainerSettings) throws -> Void)] = [
            ("port publishing", { request, _ in request.ports = [try PortRequest(parsing: "80")] }),
            ("port publishing", { request, _ in request.publishesAll = true }),
            ("port exposing", { request, _ in request.exposed = [try ExposedPorts(parsing: "80")] }),
            ("hostname", { $1.hostname = "me" }), ("dns", { request, _ in request.dnsSearch = ["x"] }),
            ("host-to-IP", { $1.extraHosts = ["a:1.2.3.4"] }),
        ]
        for (says, change) in changes {
            var request = try request("container:db")
            var settings = ContainerSettings()
            try change(&request, &settings)
            let found = failure { _ = try request.fill(&settings) }
            #expect(
                found?.message.hasPrefix("conflicting options: ") == true
                    && found?.message.contains(says) == true, "\(String(describing: found))")
        }
    }

    // MARK: ports

    @Test func theSamePortTwiceIsOne() throws {
        var request = NetworkRequest()
        request.ports = try ["80:80", "80:80/tcp", "80:80/udp"].map { try PortRequest(parsing: $0) }
        #expect(try settings(request).networking.ports.map(\.description) == ["80:80/tcp", "80:80/udp"])
    }

    @Test(
        arguments: [
            ("80:80", "80:81", true), ("80:80", "127.0.0.1:80:81", true), ("80:80", "80:81/udp", false),
            ("127.0.0.1:80:80", "127.0.0.2:80:81", false), ("127.0.0.1:80:80", "127.0.0.1:80:81", true),
            ("0.0.0.0:80:80", "127.0.0.1:80:81", true), ("0.0.0.0:80:80", "[::1]:80:81", false),
            ("[::]:80:80", "[::1]:80:81", true), ("8000-8010:8000-8010", "8010:80", true),
            ("8000-8010:8000-8010", "8011:80", false), ("80", "80", false), ("80:80", "81", false),
            // One of the range is left.
            ("8000-8001:80", "8000:81", false),
        ])
    func portsThatClash(_ first: String, _ second: String, _ isRefused: Bool) throws {
        var request = NetworkRequest()
        request.ports = [try PortRequest(parsing: first), try PortRequest(parsing: second)]
        let found = failure { _ = try settings(request) }
        #expect((found != nil) == isRefused)
        if let found { #expect(found.message.contains("--publish")) }
    }

    @Test func balanceIsOfPortsWithANumber() throws {
        var request = NetworkRequest()
        request.balance = try Balance(parsing: "web:round-robin")
        request.ports = try ["80:8080", "9000"].map { try PortRequest(parsing: $0) }
        let ports = try settings(request).networking.ports
        #expect(ports.map(\.description) == ["80:8080/tcp~web:round-robin", "9000/tcp"])
        request.ports = [try PortRequest(parsing: "9000")]
        #expect(failure { _ = try settings(request) }?.message.contains("--balance") == true)
    }
}
