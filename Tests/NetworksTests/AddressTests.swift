import Failure
import Networks
import Testing

@Suite struct AddressTests {
    @Test(arguments: ["0.0.0.0", "10.0.0.1", "255.255.255.255", "192.168.100.7"])
    func ipv4IsPrintedAsItWasRead(_ text: String) {
        #expect(IPv4Address(text)?.description == text)
        #expect(IPAddress(text)?.description == text)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3", "1..2.3", "01.2.3.4", "1.2.3.256", "1.2.3.4 ",
        "a.b.c.d",
        "1.2.3.-4", "+1.2.3.4", "00.0.0.0", "99999999999.1.1.1",
    ])
    func whatIsNoIPv4AddressIsRefused(_ text: String) {
        #expect(IPv4Address(text) == nil)
        #expect(IPAddress(text) == nil)
    }

    /// RFC 5952, sections 4 and 5.
    @Test(arguments: [
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::A", "2001:db8::a"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0db8:0:0:0:0:2:1", "2001:db8::2:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::ffff:c000:201", "::ffff:192.0.2.1"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("fe80:0:0:0:1:0:0:0", "fe80::1:0:0:0"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ])
    func ipv6IsPrintedCanonically(_ pair: (String, String)) {
        #expect(IPv6Address(pair.0)?.description == pair.1)
        #expect(IPv6Address(pair.1) == IPv6Address(pair.0))
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::", "1:", ":1",
        "::1:",
        "fe80::1%eth0", "1:2:3:4:5:6:7:8::", "::1.2.3", "1.2.3.4::", "1:2:3:4:5:6:7:1.2.3.4", "::1.2.3.4:5",
        "1:2:3:4::5:6:7:8", "[::1]", " ::1",
    ])
    func whatIsNoIPv6AddressIsRefused(_ text: String) {
        #expect(IPv6Address(text) == nil)
    }

    @Test(arguments: ["10.1.2.3", "::", "fd00:1:2:3:4:5:6:7", "255.255.255.255"])
    func bytesAreInNetworkOrder(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(IPAddress(bytes: address.bytes) == address)
        #expect(address.bytes.count * 8 == address.family.width)
        #expect(IPAddress(bytes: address.bytes + [0]) == nil)
    }

    @Test func prefixesKnowTheirRanges() throws {
        let small = try IPPrefix("10.89.0.0/24")
        #expect(small.last.description == "10.89.0.255")
        #expect(small.hosts.lowerBound.description == "10.89.0.1")
        #expect(small.hosts.upperBound.description == "10.89.0.254")
        #expect(try IPPrefix("10.0.0.0/31").hosts.upperBound.description == "10.0.0.1")
        #expect(try IPPrefix("10.0.0.7/32").hosts.lowerBound.description == "10.0.0.7")
        #expect(try IPPrefix("0.0.0.0/0").last.description == "255.255.255.255")
        let six = try IPPrefix("fd00:1::/64")
        #expect(six.last.description == "fd00:1::ffff:ffff:ffff:ffff")
        #expect(six.hosts.lowerBound.description == "fd00:1::1")
        #expect(try IPPrefix("::/0").last.description == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
        #expect(try IPPrefix("fd00::/60").last.description == "fd00::f:ffff:ffff:ffff:ffff")
        #expect(try IPPrefix("fd00::4/126").last.description == "fd00::7")
    }

    @Test func prefixesContainAndOverlap() throws {
        let wide = try IPPrefix("10.0.0.0/8")
        let narrow = try IPPrefix("10.89.0.0/24")
        let beside = try IPPrefix("10.89.1.0/24")
        #expect(wide.contains(narrow) && !narrow.contains(wide))
        #expect(wide.overlaps(narrow) && narrow.overlaps(wide))
        #expect(!narrow.overlaps(beside))
        #expect(narrow.contains(try #require(IPAddress("10.89.0.255"))))
        #expect(!narrow.contains(try #require(IPAddress("10.89.1.0"))))
        #expect(!(try IPPrefix("0.0.0.0/0")).contains(try #require(IPAddress("::1"))))
        #expect(!(try IPPrefix("::/0")).overlaps(wide))
    }

    @Test(arguments: [
        "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.1/24",
        "/24", "x/24", "fd00::/129", "fd00::1/64", "10.0.0.0/8/8", "10.0.0.0/ 8",
    ])
    func whatIsNoPrefixIsRefused(_ text: String) {
        #expect(throws: Failure.self) { try IPPrefix(text) }
    }

    @Test func hostBitsAreNamedWithWhatWasMeant() {
        do {
            _ = try IPPrefix("10.1.2.3/24")
            Issue.record("accepted")
        } catch {
            #expect(error.code == .invalidArgument)
            #expect(error.hint == "write 10.1.2.0/24")
        }
    }

    @Test func countingStopsAtTheEnd() throws {
        let last = try #require(IPAddress("255.255.255.255"))
        #expect(last.advanced(by: 1) == nil)
        #expect(last.advanced(by: 0) == last)
        #expect(IPAddress("10.0.0.255")?.advanced(by: 1)?.description == "10.0.1.0")
        #expect(IPAddress("10.0.0.0")?.advanced(by: 1 << 32) == nil)
        #expect(IPAddress("fd00::ffff:ffff:ffff:ffff")?.advanced(by: 1)?.description == "fd00:0:0:1::")
        #expect(IPAddress("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")?.advanced(by: 1) == nil)
        #expect(try #require(IPAddress("255.255.255.255")) < #require(IPAddress("::")))
    }

    @Test func specialRangesAreKnown() throws {
        #expect(try #require(IPAddress("127.1.2.3")).isLoopback)
        #expect(try #require(IPAddress("::1")).isLoopback)
        #expect(!(try #require(IPAddress("128.0.0.1")).isLoopback))
        #expect(try #require(IPAddress("169.254.1.1")).isLinkLocal)
        #expect(try #require(IPAddress("febf::1")).isLinkLocal)
        #expect(!(try #require(IPAddress("fec0::1")).isLinkLocal))
        #expect(try #require(IPAddress("224.0.0.1")).isMulticast)
        #expect(try #require(IPAddress("ff02::1")).isMulticast)
        #expect(try #require(IPAddress("::")).isUnspecified)
    }

    @Test func macAddresses() {
        #expect(MACAddress("02:42:AC:11:00:02")?.description == "02:42:ac:11:00:02")
        #expect(MACAddress("02-42-ac-11-00-02")?.description == "02:42:ac:11:00:02")
        #expect(MACAddress("01:00:5e:00:00:01")?.isMulticast == true)
        #expect(MACAddress(bytes: [2, 0, 0, 0, 0, 1])?.description == "02:00:00:00:00:01")
        for text in [
            "", "02:42:ac:11:00", "02:42:ac:11:00:02:03", "02:42:ac:11:00:0g", "02:42-ac:11:00:02",
            "0242ac110002", "2:42:ac:11:00:02", "02:42:ac:11:00:2 ", "02.42.ac.11.00.02",
        ] {
            #expect(MACAddress(text) == nil)
        }
        #expect(MACAddress(bytes: [1, 2, 3]) == nil)
    }
}
