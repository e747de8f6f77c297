import Failure
import LinuxSystem
import Networks
import Testing

/// What goes over netlink, byte by byte (netlink(7), linux/netfilter/nf_tables.h), and what comes back broken.
@Suite struct CodecTests {
    @Test func attributesArePadded() {
        var attributes = NetlinkAttributes()
        attributes.add(1, "ab")
        attributes.add(2, UInt32(7))
        attributes.add(3, bigEndian: 7)
        var inner = NetlinkAttributes()
        inner.add(9, [5])
        attributes.add(4, nested: inner)
        #expect(
            attributes.bytes == [
                7, 0, 1, 0, 97, 98, 0, 0, 8, 0, 2, 0, 7, 0, 0, 0, 8, 0, 3, 0, 0, 0, 0, 7,
                12, 0, 4, 0x80, 5, 0, 9, 0, 5, 0, 0, 0,
            ])
        let parsed = NetlinkAttributes.parse(attributes.bytes)
        #expect(parsed[1] == [97, 98, 0] && parsed[3] == [0, 0, 0, 7])
        #expect(NetlinkAttributes.parse(parsed[4] ?? [])[9] == [5])
    }

    /// A length below that of the head, beyond the end, or cut in the head.
    @Test(arguments: [[3, 0, 1, 0], [0, 0, 1, 0, 1, 2, 3, 4], [9, 0, 1, 0, 1], [8, 0, 1], [UInt8]()])
    func brokenAttributesEndTheList(_ bytes: [UInt8]) {
        #expect(NetlinkAttributes.list(bytes).isEmpty)
        #expect(NetlinkAttributes.list([5, 0, 7, 0, 1, 0, 0, 0] + bytes).map(\.type) == [7])
        #expect(NetlinkAttributes.parse(bytes, from: 400).isEmpty)
    }

    @Test func keysBeginAtWords() {
        var key = NftKey()
        key.add([6])
        key.add([10, 0, 0, 1])
        key.add(port: 0x1f90)
        key.add(interface: "eth0")
        #expect(
            key.bytes == [6, 0, 0, 0, 10, 0, 0, 1, 0x1f, 0x90, 0, 0] + Array("eth0".utf8)
                + [UInt8](repeating: 0, count: 12))
        // The kernel's names have at most 15 bytes.
        #expect(NftKey.interface("abcdefghijklmnopqrst").count == 16)
        #expect(NftKey.interface("abcdefghijklmnopqrst").last == 0)
    }

    @Test func aRuleIsWhatNftablesWants() {
        let table = NftTable(.inet, "t")
        let request = table.add([.verdict(.drop)], to: "c", comment: "x")
        #expect(request.type == 10 << 8 | 6)
        let attributes = NetlinkAttributes.parse(request.body, from: 4)
        #expect(request.body.prefix(4) == [1, 0, 0, 0])
        #expect(attributes[1] == [116, 0] && attributes[2] == [99, 0] && attributes[7] == [0, 2, 120, 0])
        let expression = NetlinkAttributes.parse(NetlinkAttributes.parse(attributes[4] ?? [])[1] ?? [])
        #expect(expression[1] == Array("immediate".utf8) + [0])
        // Register 0, and a verdict of NF_DROP.
        let data = NetlinkAttributes.parse(expression[2] ?? [])
        #expect(data[1] == [0, 0, 0, 0])
        let verdict = NetlinkAttributes.parse(NetlinkAttributes.parse(data[2] ?? [])[2] ?? [])
        #expect(verdict[1] == [0, 0, 0, 0])
    }

    /// An attribute's length has sixteen bits.
    @Test func manyElementsAreSeveralMessages() {
        let elements = (0..<5000).map { number in
            NftElement([UInt8(number >> 8), UInt8(number & 255)], comment: "twelve bytes")
        }
        let requests = NftTable(.inet, "t").add(elements, to: "s")
        #expect(requests.count > 1)
        var count = 0
        for request in requests {
            let list = NetlinkAttributes.parse(request.body, from: 4)[3] ?? []
            #expect(list.count < 1 << 16 - 4)
            count += NetlinkAttributes.list(list).count
        }
        #expect(count == 5000)
    }

    /// RFC 4291, appendix A.
    @Test func linkLocalAddressesFollowFromTheMAC() {
        #expect(MACAddress("34:56:78:9a:bc:de")?.linkLocal.description == "fe80::3656:78ff:fe9a:bcde")
        #expect(MACAddress("02:42:ac:11:00:02")?.linkLocal.description == "fe80::42:acff:fe11:2")
    }

    @Test func macsFollowFromTheAddress() throws {
        #expect(try MACAddress(derivedFrom: ip("10.11.0.2")).description == "02:42:0a:0b:00:02")
        let six = try MACAddress(derivedFrom: ip("fd00::2"))
        #expect(try six != MACAddress(derivedFrom: ip("fd00::3")) && !six.isMulticast && !six.isZero)
    }

    @Test func errorsHaveTheKernelsWords() {
        let error = SystemError(call: "netlink", path: "make x", errno: Errno.invalid, detail: "Bad thing")
        #expect(error.reason == "invalid argument (Bad thing)")
        #expect(error.failure("network").message == "network: invalid argument (Bad thing)")
    }

    /// Each expression that there is, and each kind of set: taken by the kernel, and printed by nft as what was meant.
    @Test(.enabled(if: World.canRun, "not run: needs root and network namespaces")) func theKernelTakesAll()
        throws
    {
        let world = try World()
        try world.inHost {
            let table = NftTable(.inet, "every")
            let names = NftSet("names", [.interface])
            let pairs = NftSet("pairs", [.ipv4, .port], isInterval: true)
            let ports = NftSet("ports", [.port], to: .fields([.port]))
            let ways = NftSet("ways", [.integer], to: .verdict)
            var range = NftElement([10, 0, 0, 0, 0, 80, 0, 0])
            range.last = [10, 0, 0, 255, 0, 90, 0, 0]
            let rules: [[NftExpression]] = [
                [.meta(.mark, to: 0), .compare(0, .greater, [0, 0, 0, 5]), .counter, .verdict(.return)],
                [.limit(perSecond: 10, burst: 5), .verdict(.jump("other"))],
                [.number(.random, below: 3, to: 0), .verdictMap("ways", key: 0)],
                [
                    .meta(.family, to: 0), .compare(0, .equal, [2]),
                    .payload(.network, offset: 12, length: 4, to: 0),
                    .hash(0, length: 4, below: 7, seed: 1, to: 0), .compare(0, .less, [2, 0, 0, 0]), .counter,
                ],
                [.conntrack(.mark, to: 0), .compare(0, .unequal, [0, 0, 0, 0]), .verdict(.accept)],
                [.meta(.inputName, to: 0), .lookupMissing("names", key: 0), .verdict(.drop)],
            ]
            var changes = [
                table.add(), table.add(names), table.add(pairs), table.add(ports), table.add(ways),
                table.add(chain: "base", "filter", .input, priority: 7, comment: "seven"),
                table.add(chain: "nat", "nat", .prerouting, priority: -100, comment: "n"),
                table.add(chain: "snat", "nat", .postrouting, priority: 100, comment: "s"),
                table.add(chain: "other"),
            ]
            changes += table.add([NftElement(NftKey.interface("lo"))], to: "names")
            changes += table.add([range], to: "pairs")
            changes += table.add(
                [NftElement([0, 80], to: .bytes([0x1f, 0x90]), comment: "web")], to: "ports")
            changes += table.add([NftElement([1, 0, 0, 0], to: .verdict(.goto("other")))], to: "ways")
            for rule in rules { changes.append(table.add(rule, to: "base")) }
            changes.append(
                table.add(
                    [
                        .meta(.transport, to: 0), .compare(0, .equal, [6]),
                        .payload(.transport, offset: 2, length: 2, to: 0), .map("ports", key: 0, to: 0),
                        .redirect(port: 0),
                    ], to: "nat"))
            changes.append(
                table.add(
                    [
                        .meta(.family, to: 0), .compare(0, .equal, [2]), .immediate([192, 0, 2, 1], to: 0),
                        .source(.v4, address: 0),
                    ], to: "snat"))
            var socket = try NftSocket()
            try socket.commit(changes)
            let state = try socket.state(of: "base", in: table)
            #expect(state?.uses == UInt32(rules.count) && state?.comment == "seven")
            let pairElements = try socket.elements(of: "pairs", in: table)
            #expect(pairElements.map(\.key) == [range.key] && pairElements.map(\.last) == [range.last])
            let portElements = try socket.elements(of: "ports", in: table)
            #expect(
                portElements.map(\.value) == [.bytes([0x1f, 0x90])] && portElements.map(\.comment) == ["web"])
            let wayElements = try socket.elements(of: "ways", in: table)
            #expect(wayElements.map(\.value) == [.verdict(.goto("other"))])
            let noElements = try socket.elements(of: "no such set", in: table)
            #expect(noElements.isEmpty)
            let tables = try socket.tables(.inet)
            #expect(tables == ["every"])
            if let nft = Tool("nft", "list", "table", "inet", table.name) {
                let text = try #require(nft.finish())
                for line in [
                    "iifname != @names drop", "limit rate 10/second", "jhash ip saddr mod 7",
                    "numgen random mod 3",
                    "ct mark != 0x00000000 accept", "snat ip to 192.0.2.1",
                    "10.0.0.0/24 . 80-90", "80 comment \"web\" : 8080", "elements = { \"lo\" }",
                ] {
                    #expect(text.contains(line), "\(line) in \(text)")
                }
            }
        }
    }

    /// All or nothing.
    @Test(.enabled(if: World.canRun, "not run: needs root and network namespaces")) func aBatchIsOneChange()
        throws
    {
        let world = try World()
        try world.inHost {
            let table = NftTable(.inet, "t")
            var socket = try NftSocket()
            let error = #expect(throws: SystemError.self) {
                try socket.commit([
                    table.add(), table.add(chain: "a"), table.add([.verdict(.jump("nowhere"))], to: "a"),
                    table.add(chain: "b"),
                ])
            }
            #expect(error?.isMissing == true)
            #expect(error?.path?.contains("add a rule to chain a") == true)
            let tables = try socket.tables(.inet)
            #expect(tables.isEmpty)
            // The socket is of use still.
            try socket.commit([table.add(), table.add(chain: "a")])
            let state = try socket.state(of: "a", in: table)
            #expect(state != nil)
        }
    }

    @Test(.enabled(if: World.canRun, "not run: needs root and network namespaces"))
    func pipelinesGoOnAndTell() throws {
        let world = try World()
        try world.inHost {
            var routes = try RouteSocket()
            try routes.addBridge("a-bridge")
            let failure = #expect(throws: SystemError.self) { try routes.setMTU("nothing", 1400) }
            #expect(failure?.isNoDevice == true)
            // What the kernel says of an MTU that cannot be.
            let words = #expect(throws: SystemError.self) { try routes.setMTU("a-bridge", 10_000_000) }
            #expect(words?.detail?.contains("mtu") == true, "\(String(describing: words))")
            #expect(throws: SystemError.self) { try routes.addBridge("a-bridge") }
            #expect(throws: SystemError.self) { try routes.addBridge("a name that is far too long") }
        }
    }
}
