package import LinuxSystem

/// A table of nftables, and the messages that change what is in it. Nothing is sent here: changes are collected and
/// become true together (`NftSocket.commit`).
package struct NftTable: Sendable, Equatable {
    package enum Family: UInt8, Sendable { case inet = 1, bridge = 7 }

    package enum Hook: UInt32, Sendable {
        case prerouting = 0
        case input = 1
        case forward = 2
        case output = 3
        case postrouting = 4
    }

    package let family: Family
    package let name: String

    package init(_ family: Family, _ name: String) {
        self.family = family
        self.name = name
    }

    enum Message: UInt16 {
        case newTable = 0
        case getTable = 1
        case deleteTable = 2
        case newChain = 3
        case getChain = 4
        case deleteChain = 5
        case newRule = 6
        case deleteRule = 8
        case newSet = 9
        case deleteSet = 11
        case newElement = 12
        case getElement = 13
        case deleteElement = 14

        /// NFNL_SUBSYS_NFTABLES
        var type: UInt16 { 10 << 8 | rawValue }
    }

    // NLM_F_CREATE, NLM_F_EXCL, NLM_F_APPEND.
    private static let create: UInt16 = 0x400
    private static let createOnly: UInt16 = 0x600
    private static let append: UInt16 = 0xc00

    /// struct nfgenmsg.
    var header: [UInt8] { [family.rawValue, 0, 0, 0] }

    private func request(
        _ message: Message, flags: UInt16 = 0, _ attributes: NetlinkAttributes, _ doing: String
    ) -> NetlinkRequest {
        NetlinkRequest(
            message.type, flags: flags, header + attributes.bytes, doing: "\(doing) of table \(name)")
    }

    func named(_ other: [(UInt16, String)] = []) -> NetlinkAttributes {
        var attributes = NetlinkAttributes()
        attributes.add(1, name)
        for (type, text) in other { attributes.add(type, text) }
        return attributes
    }

    /// An existing one stays as it is.
    package func add() -> NetlinkRequest {
        request(.newTable, flags: NftTable.create, named(), "make nftables' part")
    }

    /// With all that is in it.
    package func delete() -> NetlinkRequest { request(.deleteTable, named(), "delete nftables' part") }

    /// A chain that other rules lead to; an existing one stays.
    package func add(chain: String) -> NetlinkRequest {
        request(.newChain, flags: NftTable.create, named([(3, chain)]), "make chain \(chain)")
    }

    /// A chain that the kernel calls. Its policy is to accept.
    /// - Parameter type: `filter` or `nat`.
    package func add(chain: String, _ type: String, _ hook: Hook, priority: Int32, comment: String)
        -> NetlinkRequest
    {
        var attributes = named([(3, chain)])
        var place = NetlinkAttributes()
        place.add(1, bigEndian: hook.rawValue)
        place.add(2, bigEndian: UInt32(bitPattern: priority))
        attributes.add(4, nested: place)
        attributes.add(7, type)
        attributes.add(12, NftComment.bytes(comment))
        return request(.newChain, flags: NftTable.create, attributes, "make chain \(chain)")
    }

    package func delete(chain: String) -> NetlinkRequest {
        request(.deleteChain, named([(3, chain)]), "delete chain \(chain)")
    }

    /// Takes all rules out.
    package func flush(chain: String) -> NetlinkRequest {
        request(.deleteRule, named([(2, chain)]), "empty chain \(chain)")
    }

    /// At the chain's end.
    package func add(_ rule: [NftExpression], to chain: String, comment: String? = nil) -> NetlinkRequest {
        var attributes = named([(2, chain)])
        var expressions = NetlinkAttributes()
        for one in rule { expressions.add(1, nested: one.attributes) }
        attributes.add(4, nested: expressions)
        if let comment { attributes.add(7, NftComment.bytes(comment)) }
        return request(.newRule, flags: NftTable.append, attributes, "add a rule to chain \(chain)")
    }

    package func add(_ set: NftSet) -> NetlinkRequest {
        var attributes = NetlinkAttributes()
        attributes.add(1, name)
        return NetlinkRequest(
            Message.newSet.type, flags: NftTable.create, header + attributes.bytes + set.attributes.bytes,
            doing: "make set \(set.name) of table \(name)")
    }

    package func delete(set: String) -> NetlinkRequest {
        request(.deleteSet, named([(2, set)]), "delete set \(set)")
    }

    /// Takes all elements out.
    package func flush(set: String) -> NetlinkRequest {
        request(.deleteElement, named([(2, set)]), "empty set \(set)")
    }

    /// An element that is there with the same value is no error; with another one it is EEXIST or EBUSY.
    package func add(_ elements: [NftElement], to set: String) -> [NetlinkRequest] {
        changes(.newElement, NftTable.create, elements, set, "add to set \(set)")
    }

    /// ENOENT where one is not there.
    package func remove(_ elements: [NftElement], from set: String) -> [NetlinkRequest] {
        changes(.deleteElement, 0, elements, set, "remove from set \(set)")
    }

    private func changes(
        _ message: Message, _ flags: UInt16, _ elements: [NftElement], _ set: String, _ doing: String
    ) -> [NetlinkRequest] {
        var requests: [NetlinkRequest] = []
        var at = 0
        while at < elements.count {
            var list = NetlinkAttributes()
            // An attribute holds at most 64 KiB.
            while at < elements.count, list.bytes.count < 60 << 10 {
                list.add(1, nested: elements[at].attributes(keyOnly: message == .deleteElement))
                at += 1
            }
            var attributes = named([(2, set)])
            attributes.add(3, nested: list)
            requests.append(request(message, flags: flags, attributes, doing))
        }
        return requests
    }
}
