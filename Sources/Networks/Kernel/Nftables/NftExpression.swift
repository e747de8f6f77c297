internal import LinuxSystem

/// A step of a rule, as linux/netfilter/nf_tables.h has it. Registers are counted in words of four bytes, 0 to 15; a
/// value takes as many as it fills.
package enum NftExpression: Sendable, Equatable {
    package enum Meta: UInt32, Sendable {
        case protocolNumber = 1
        case mark = 3
        case inputName = 6
        case outputName = 7
        case family = 15
        case transport = 16
    }

    package enum Header: UInt32, Sendable { case link = 0, network = 1, transport = 2 }

    package enum Comparison: UInt32, Sendable {
        case equal = 0
        case unequal = 1
        case less = 2
        case atMost = 3
        case greater = 4
        case atLeast = 5
    }

    package enum Conntrack: UInt32, Sendable { case state = 0, direction = 1, status = 2, mark = 3 }

    package enum Counting: UInt32, Sendable { case roundRobin = 0, random = 1 }

    package enum Verdict: Sendable, Equatable {
        case accept, drop, `return`
        case jump(String)
        case goto(String)

        var attributes: NetlinkAttributes {
            var attributes = NetlinkAttributes()
            let code: Int32
            var chain: String?
            switch self {
            case .drop: code = 0
            case .accept: code = 1
            case .jump(let name): (code, chain) = (-3, name)
            case .goto(let name): (code, chain) = (-4, name)
            case .return: code = -5
            }
            attributes.add(1, bigEndian: UInt32(bitPattern: code))
            if let chain { attributes.add(2, chain) }
            return attributes
        }
    }

    case meta(Meta, to: Int)
    case payload(Header, offset: Int, length: Int, to: Int)
    /// Overwrites the network header, with its checksum at `checksum` (none in IPv6) and that of the header above.
    case writeNetwork(from: Int, offset: Int, length: Int, checksum: Int?)
    /// Overwrites a port of UDP or TCP, whose checksum is at `checksum`.
    case writePort(from: Int, offset: Int, checksum: Int)
    case compare(Int, Comparison, [UInt8])
    case mask(Int, [UInt8])
    /// Goes on where the key is in the set; of a map the value goes to a register, or is the verdict.
    case lookup(String, key: Int)
    case lookupMissing(String, key: Int)
    case map(String, key: Int, to: Int)
    case verdictMap(String, key: Int)
    case immediate([UInt8], to: Int)
    case verdict(Verdict)
    case destination(IPFamily, address: Int, port: Int?)
    case source(IPFamily, address: Int)
    case masquerade
    case redirect(port: Int)
    case conntrack(Conntrack, to: Int)
    /// The type of the packet's destination as the host's routes have it: RTN_LOCAL is 2.
    case destinationType(to: Int)
    case counter
    /// A number below the modulus, in the machine's byte order.
    case number(Counting, below: UInt32, to: Int)
    /// As `number`, the same for the same bytes.
    case hash(Int, length: Int, below: UInt32, seed: UInt32, to: Int)
    /// Goes on at most so often a second.
    case limit(perSecond: UInt64, burst: UInt32)

    /// NFT_REG32_00
    private static func register(_ word: Int) -> UInt32 { UInt32(8 + word) }

    private static func value(_ bytes: [UInt8]) -> NetlinkAttributes {
        var data = NetlinkAttributes()
        data.add(1, bytes)
        return data
    }

    /// NFTA_EXPR_NAME and NFTA_EXPR_DATA.
    var attributes: NetlinkAttributes {
        var data = NetlinkAttributes()
        let name = fill(&data)
        var expression = NetlinkAttributes()
        expression.add(1, name)
        expression.add(2, nested: data)
        return expression
    }

    private func fill(_ data: inout NetlinkAttributes) -> String {
        switch self {
        case .meta(let key, let to):
            data.add(1, bigEndian: NftExpression.register(to))
            data.add(2, bigEndian: key.rawValue)
            return "meta"
        case .payload(let header, let offset, let length, let to):
            data.add(1, bigEndian: NftExpression.register(to))
            data.add(2, bigEndian: header.rawValue)
            data.add(3, bigEndian: UInt32(offset))
            data.add(4, bigEndian: UInt32(length))
            return "payload"
        case .writeNetwork(let from, let offset, let length, let checksum):
            data.add(5, bigEndian: NftExpression.register(from))
            data.add(2, bigEndian: Header.network.rawValue)
            data.add(3, bigEndian: UInt32(offset))
            data.add(4, bigEndian: UInt32(length))
            // NFT_PAYLOAD_CSUM_INET or _NONE, then NFT_PAYLOAD_L4CSUM_PSEUDOHDR.
            data.add(6, bigEndian: checksum == nil ? 0 : 1)
            data.add(7, bigEndian: UInt32(checksum ?? 0))
            data.add(8, bigEndian: 1)
            return "payload"
        case .writePort(let from, let offset, let checksum):
            data.add(5, bigEndian: NftExpression.register(from))
            data.add(2, bigEndian: Header.transport.rawValue)
            data.add(3, bigEndian: UInt32(offset))
            data.add(4, bigEndian: 2)
            // NFT_PAYLOAD_CSUM_INET
            data.add(6, bigEndian: 1)
            data.add(7, bigEndian: UInt32(checksum))
            return "payload"
        case .compare(let register, let comparison, let bytes):
            data.add(1, bigEndian: NftExpression.register(register))
            data.add(2, bigEndian: comparison.rawValue)
            data.add(3, nested: NftExpression.value(bytes))
            return "cmp"
        case .mask(let register, let bytes):
            data.add(1, bigEndian: NftExpression.register(register))
            data.add(2, bigEndian: NftExpression.register(register))
            data.add(3, bigEndian: UInt32(bytes.count))
            data.add(4, nested: NftExpression.value(bytes))
            data.add(5, nested: NftExpression.value([UInt8](repeating: 0, count: bytes.count)))
            return "bitwise"
        case .lookup(let set, let key):
            return lookup(set, key, &data)
        case .lookupMissing(let set, let key):
            // NFT_LOOKUP_F_INV
            data.add(5, bigEndian: 1)
            return lookup(set, key, &data)
        case .map(let set, let key, let to):
            data.add(3, bigEndian: NftExpression.register(to))
            return lookup(set, key, &data)
        case .verdictMap(let set, let key):
            // NFT_REG_VERDICT
            data.add(3, bigEndian: 0)
            return lookup(set, key, &data)
        case .immediate(let bytes, let to):
            data.add(1, bigEndian: NftExpression.register(to))
            data.add(2, nested: NftExpression.value(bytes))
            return "immediate"
        case .verdict(let verdict):
            var value = NetlinkAttributes()
            value.add(2, nested: verdict.attributes)
            data.add(1, bigEndian: 0)
            data.add(2, nested: value)
            return "immediate"
        case .destination(let family, let address, let port):
            // NFT_NAT_DNAT
            translate(1, family, address, port, &data)
            return "nat"
        case .source(let family, let address):
            translate(0, family, address, nil, &data)
            return "nat"
        case .masquerade:
            return "masq"
        case .redirect(let port):
            data.add(1, bigEndian: NftExpression.register(port))
            return "redir"
        case .conntrack(let key, let to):
            data.add(1, bigEndian: NftExpression.register(to))
            data.add(2, bigEndian: key.rawValue)
            return "ct"
        case .destinationType(let to):
            // NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR.
            data.add(1, bigEndian: NftExpression.register(to))
            data.add(2, bigEndian: 3)
            data.add(3, bigEndian: 2)
            return "fib"
        case .counter:
            return "counter"
        case .number(let counting, let below, let to):
            data.add(1, bigEndian: NftExpression.register(to))
            data.add(2, bigEndian: below)
            data.add(3, bigEndian: counting.rawValue)
            return "numgen"
        case .hash(let register, let length, let below, let seed, let to):
            data.add(1, bigEndian: NftExpression.register(register))
            data.add(2, bigEndian: NftExpression.register(to))
            data.add(3, bigEndian: UInt32(length))
            data.add(4, bigEndian: below)
            data.add(5, bigEndian: seed)
            return "hash"
        case .limit(let perSecond, let burst):
            var rate: [UInt8] = []
            rate.append(littleEndian: perSecond.byteSwapped)
            var second: [UInt8] = []
            second.append(littleEndian: UInt64(1).byteSwapped)
            data.add(1, rate)
            data.add(2, second)
            data.add(3, bigEndian: burst)
            return "limit"
        }
    }

    private func lookup(_ set: String, _ key: Int, _ data: inout NetlinkAttributes) -> String {
        data.add(1, set)
        data.add(2, bigEndian: NftExpression.register(key))
        return "lookup"
    }

    private func translate(
        _ type: UInt32, _ family: IPFamily, _ address: Int, _ port: Int?, _ data: inout NetlinkAttributes
    ) {
        data.add(1, bigEndian: type)
        data.add(2, bigEndian: UInt32(family.rawValue))
        data.add(3, bigEndian: NftExpression.register(address))
        if let port { data.add(5, bigEndian: NftExpression.register(port)) }
    }
}
