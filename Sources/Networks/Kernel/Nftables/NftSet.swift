internal import LinuxSystem

/// A set or map of nftables: what it is keyed by and what it gives.
package struct NftSet: Sendable, Equatable {
    /// A part of a key or value, with nft(8)'s number for it, so that nft can print it.
    package enum Field: UInt32, Sendable {
        case integer = 4
        case ipv4 = 7
        case ipv6 = 8
        case ether = 9
        case transport = 12
        case port = 13
        case interface = 41

        /// Bytes.
        var size: Int {
            switch self {
            case .integer, .ipv4: 4
            case .ipv6, .interface: 16
            case .ether: 6
            case .transport: 1
            case .port: 2
            }
        }

        static func address(_ family: IPFamily) -> Field { family == .v4 ? .ipv4 : .ipv6 }
    }

    package enum Value: Sendable, Equatable {
        case none
        case fields([Field])
        case verdict
    }

    package let name: String
    package let key: [Field]
    package let value: Value
    /// Its keys are ranges.
    package let isInterval: Bool

    package init(_ name: String, _ key: [Field], to value: Value = .none, isInterval: Bool = false) {
        self.name = name
        self.key = key
        self.value = value
        self.isInterval = isInterval
    }

    /// Concatenated fields begin at words.
    private static func size(_ fields: [Field]) -> Int {
        fields.count == 1 ? fields[0].size : fields.reduce(0) { $0 + ($1.size + 3) & ~3 }
    }

    /// nft puts six bits of type after six.
    private static func type(_ fields: [Field]) -> UInt32 { fields.reduce(0) { $0 << 6 | $1.rawValue } }

    var attributes: NetlinkAttributes {
        var attributes = NetlinkAttributes()
        attributes.add(2, name)
        // NFT_SET_INTERVAL, _MAP, _CONCAT.
        var flags: UInt32 = isInterval ? 0x4 : 0
        if value != .none { flags |= 0x8 }
        if isInterval, key.count > 1 { flags |= 0x80 }
        attributes.add(3, bigEndian: flags)
        attributes.add(4, bigEndian: NftSet.type(key))
        attributes.add(5, bigEndian: UInt32(NftSet.size(key)))
        switch value {
        case .none: break
        case .verdict:
            // NFT_DATA_VERDICT
            attributes.add(6, bigEndian: 0xffff_ff00)
            attributes.add(7, bigEndian: 16)
        case .fields(let fields):
            attributes.add(6, bigEndian: NftSet.type(fields))
            attributes.add(7, bigEndian: UInt32(NftSet.size(fields)))
        }
        if isInterval, key.count > 1 {
            var parts = NetlinkAttributes()
            for field in key {
                var part = NetlinkAttributes()
                part.add(1, bigEndian: UInt32((field.size + 3) & ~3))
                parts.add(1, nested: part)
            }
            var description = NetlinkAttributes()
            description.add(2, nested: parts)
            attributes.add(9, nested: description)
        }
        if key == [.interface] || key == [.integer] {
            // For nft alone: the key is in the machine's byte order (NFTNL_UDATA_SET_KEYBYTEORDER).
            attributes.add(13, [0, 4, 1, 0, 0, 0])
        }
        // Any number will do: sets are found by name.
        attributes.add(10, bigEndian: 1)
        return attributes
    }
}

/// One entry of a set or map.
package struct NftElement: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case none
        case bytes([UInt8])
        case verdict(NftExpression.Verdict)
    }

    package var key: [UInt8]
    /// The highest key of the range; of a set of several fields only.
    package var last: [UInt8]?
    package var value: Value
    /// The first key behind a range of a set of one field.
    package var isEnd = false
    /// At most 128 bytes.
    package var comment: String?

    package init(_ key: [UInt8], to value: Value = .none, comment: String? = nil) {
        self.key = key
        self.value = value
        self.comment = comment
    }

    func attributes(keyOnly: Bool) -> NetlinkAttributes {
        var attributes = NetlinkAttributes()
        attributes.add(1, nested: NftElement.data(key))
        if let last { attributes.add(10, nested: NftElement.data(last)) }
        // NFT_SET_ELEM_INTERVAL_END
        if isEnd { attributes.add(3, bigEndian: 1) }
        if keyOnly { return attributes }
        switch value {
        case .none: break
        case .bytes(let bytes): attributes.add(2, nested: NftElement.data(bytes))
        case .verdict(let verdict):
            var data = NetlinkAttributes()
            data.add(2, nested: verdict.attributes)
            attributes.add(2, nested: data)
        }
        if let comment { attributes.add(6, NftComment.bytes(comment)) }
        return attributes
    }

    private static func data(_ bytes: [UInt8]) -> NetlinkAttributes {
        var data = NetlinkAttributes()
        data.add(1, bytes)
        return data
    }

    init?(dumped body: [UInt8]) {
        let attributes = NetlinkAttributes.parse(body)
        guard let key = attributes[1].flatMap({ NetlinkAttributes.parse($0)[1] }) else { return nil }
        self.key = key
        last = attributes[10].flatMap { NetlinkAttributes.parse($0)[1] }
        isEnd = (attributes[3]?.last ?? 0) & 1 == 1
        comment = attributes[6].flatMap { NftComment.text($0) }
        let data = NetlinkAttributes.parse(attributes[2] ?? [])
        if let bytes = data[1] {
            value = .bytes(bytes)
        } else if let verdict = data[2] {
            let chain = NetlinkAttributes.parse(verdict)[2] ?? []
            value = .verdict(.goto(String(decoding: chain.prefix { $0 != 0 }, as: UTF8.self)))
        } else {
            value = .none
        }
    }
}

/// User data as nft(8) writes comments: type 0, length, text with its NUL.
enum NftComment {
    static func bytes(_ text: String) -> [UInt8] {
        let text = Array(text.utf8.prefix(127)) + [0]
        return [0, UInt8(text.count)] + text
    }

    static func text(_ bytes: [UInt8]) -> String? {
        guard bytes.count >= 2, bytes[0] == 0, bytes.count >= 2 + Int(bytes[1]) else { return nil }
        return String(decoding: bytes[2..<2 + Int(bytes[1])].prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// A key or value of several fields: each begins at a word.
package struct NftKey: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func add(_ field: [UInt8]) {
        bytes += field
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    /// In network order.
    package mutating func add(port: UInt16) { add([UInt8(port >> 8), UInt8(port & 0xff)]) }

    /// Filled with zeros, as the kernel compares names of interfaces.
    package mutating func add(interface name: String) { add(NftKey.interface(name)) }

    package static func interface(_ name: String) -> [UInt8] {
        let bytes = Array(name.utf8.prefix(15))
        return bytes + [UInt8](repeating: 0, count: 16 - bytes.count)
    }
}
