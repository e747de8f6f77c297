package import LinuxSystem

/// nftables of one network namespace, by its netlink protocol (linux/netfilter/nf_tables.h; from kernel 5.14 on has it
/// all that is used here).
package struct NftSocket: ~Copyable {
    var netlink: NetlinkSocket

    /// Of the namespace that this thread is in.
    package init() throws(SystemError) { netlink = try NetlinkSocket(.netfilter) }

    /// All changes or none; no packet sees a half.
    package mutating func commit(_ changes: [NetlinkRequest]) throws(SystemError) {
        try netlink.transaction(changes)
    }

    /// A chain as a whole.
    package struct ChainState: Sendable, Equatable {
        /// Its rules, and other chains' and maps' ways to it.
        package let uses: UInt32
        package let comment: String?
    }

    /// nil where there is no such chain.
    package mutating func state(of chain: String, in table: NftTable) throws(SystemError) -> ChainState? {
        do throws(SystemError) {
            let answers = try netlink.request(
                NftTable.Message.getChain.type, table.header + table.named([(3, chain)]).bytes,
                doing: "find chain \(chain) of table \(table.name)")
            guard let body = answers.first?.body else { return nil }
            let attributes = NetlinkAttributes.parse(body, from: 4)
            let uses: UInt32 = attributes[6]?[...].littleEndian(at: 0) ?? 0
            return ChainState(
                uses: uses.byteSwapped, comment: attributes[12].flatMap { NftComment.text($0) })
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    /// Empty where there is no such set.
    package mutating func elements(of set: String, in table: NftTable) throws(SystemError) -> [NftElement] {
        do throws(SystemError) {
            let answers = try netlink.request(
                NftTable.Message.getElement.type, table.header + table.named([(2, set)]).bytes,
                doing: "read set \(set) of table \(table.name)", dump: true)
            var found: [NftElement] = []
            for answer in answers {
                let attributes = NetlinkAttributes.parse(answer.body, from: 4)
                for one in NetlinkAttributes.list(attributes[3] ?? []) {
                    if let element = NftElement(dumped: one.value) { found.append(element) }
                }
            }
            return found
        } catch {
            if error.isMissing { return [] }
            throw error
        }
    }

    /// A base chain of any table.
    package struct BaseChain: Sendable, Equatable {
        package let family: UInt8
        package let table: String
        package let name: String
        package let hook: UInt32
        package let dropsByPolicy: Bool

        /// As nft(8) writes it.
        package var familyName: String {
            switch family {
            case 1: "inet"
            case 2: "ip"
            case 10: "ip6"
            default: String(family)
            }
        }
    }

    /// The chains of all tables that the kernel calls.
    package mutating func baseChains() throws(SystemError) -> [BaseChain] {
        try netlink.request(
            NftTable.Message.getChain.type, [0, 0, 0, 0], doing: "list nftables' chains", dump: true
        ).compactMap { answer in
            let attributes = NetlinkAttributes.parse(answer.body, from: 4)
            guard let table = attributes[1], let name = attributes[3], let place = attributes[4],
                let hook: UInt32 = NetlinkAttributes.parse(place)[1]?[...].littleEndian(at: 0)
            else { return nil }
            return BaseChain(
                family: answer.body[0], table: String(decoding: table.dropLast(), as: UTF8.self),
                name: String(decoding: name.dropLast(), as: UTF8.self), hook: hook.byteSwapped,
                // NF_DROP is 0.
                dropsByPolicy: attributes[5]?.last == 0)
        }
    }

    /// The names of all tables of a family.
    package mutating func tables(_ family: NftTable.Family) throws(SystemError) -> [String] {
        try netlink.request(
            NftTable.Message.getTable.type, [family.rawValue, 0, 0, 0], doing: "list nftables' tables",
            dump: true
        ).compactMap { answer in
            NetlinkAttributes.parse(answer.body, from: 4)[1].map {
                String(decoding: $0.dropLast(), as: UTF8.self)
            }
        }
    }
}
