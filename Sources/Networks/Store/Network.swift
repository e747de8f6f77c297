internal import Failure
package import LinuxSystem

/// A network as its record tells.
package struct Network: Equatable, Sendable {
    package enum Driver: String, Sendable, CaseIterable { case bridge, macvlan, host, none }

    package struct Subnet: Equatable, Sendable {
        package let prefix: IPPrefix
        /// The bridge's own address, or the router's of a macvlan; nil: there is none.
        package let gateway: IPAddress?
        /// What addresses are given from where none is asked for; the whole subnet without.
        package let range: IPPrefix?

        package init(prefix: IPPrefix, gateway: IPAddress?, range: IPPrefix? = nil) {
            self.prefix = prefix
            self.gateway = gateway
            self.range = range
        }
    }

    package struct KeyAndValue: Equatable, Sendable {
        package let key: String
        package let value: String

        package init(_ key: String, _ value: String) {
            self.key = key
            self.value = value
        }
    }

    package let name: String
    /// 64 hex digits.
    package let id: String
    package let driver: Driver
    package let created: Timestamp
    /// At most one of each family, IPv4 first.
    package let subnets: [Subnet]
    /// Nothing gets out of it, and no question for a name either.
    package let isInternal: Bool
    package let options: [KeyAndValue]
    package let labels: [KeyAndValue]
    /// Of the bridge in the host's network; empty for other drivers.
    package let bridgeName: String

    package var shortID: String { String(id.prefix(12)) }

    package var hasIPv6: Bool { subnets.contains { $0.prefix.family == .v6 } }

    package func option(_ key: String) -> String? { options.last { $0.key == key }?.value }

    package func label(_ key: String) -> String? { labels.last { $0.key == key }?.value }

    /// The two that have neither a bridge nor addresses, and are the same on every host. Their ids are of 64 digits too.
    package static let host = Network(predefined: .host, digit: "1")
    package static let none = Network(predefined: .none, digit: "2")

    private init(predefined driver: Driver, digit: Character) {
        self.init(
            name: driver.rawValue, id: String(repeating: digit, count: 64), driver: driver,
            created: Timestamp(seconds: 0), subnets: [], isInternal: false, options: [], labels: [],
            bridgeName: "")
    }

    init(
        name: String, id: String, driver: Driver, created: Timestamp, subnets: [Subnet], isInternal: Bool,
        options: [KeyAndValue], labels: [KeyAndValue], bridgeName: String
    ) {
        self.name = name
        self.id = id
        self.driver = driver
        self.created = created
        self.subnets = subnets
        self.isInternal = isInternal
        self.options = options
        self.labels = labels
        self.bridgeName = bridgeName
    }
}

extension Network {
    private static let kind = "ctr-network 1"

    var record: FlatRecord {
        var record = FlatRecord(kind: Self.kind)
        record.add("name", name)
        record.add("id", id)
        record.add("driver", driver.rawValue)
        record.add("created", String(created.nanosecondsSinceEpoch))
        record.add(
            "subnet",
            all: subnets.map { subnet in
                let gateway = subnet.gateway.map(\.description) ?? "-"
                let range = subnet.range.map(\.description) ?? "-"
                return "\(subnet.prefix) \(gateway) \(range)"
            })
        record.add("internal", String(isInternal))
        record.add("option", all: options.map { "\($0.key)=\($0.value)" })
        record.add("label", all: labels.map { "\($0.key)=\($0.value)" })
        record.add("bridge", bridgeName)
        return record
    }

    init(name: String, parsing bytes: [UInt8]) throws(Failure) {
        let record = try FlatRecord(kind: Self.kind, parsing: bytes, name: "the record of network \(name)")
        let damaged = Failure(.dataLoss, "the record of network \(name) is damaged")
        guard record.first("name") == name, let id = record.first("id"), NetworkName.isID(id),
            let driver = record.first("driver").flatMap(Driver.init(rawValue:)),
            let created = record.first("created").flatMap({ Int64($0) })
        else { throw damaged }
        var subnets: [Subnet] = []
        for line in record.all("subnet") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 3, let prefix = try? IPPrefix(words[0]) else { throw damaged }
            subnets.append(
                Subnet(
                    prefix: prefix, gateway: IPAddress(words[1]),
                    range: words[2] == "-" ? nil : try? IPPrefix(words[2])))
        }
        func pairs(_ key: String) -> [KeyAndValue] {
            record.all(key).map { line in
                let name = line.prefix { $0 != "=" }
                return KeyAndValue(String(name), String(line.dropFirst(name.count + 1)))
            }
        }
        self.init(
            name: name, id: id, driver: driver, created: Timestamp(nanosecondsSinceEpoch: created),
            subnets: subnets, isInternal: record.first("internal") == "true", options: pairs("option"),
            labels: pairs("label"), bridgeName: record.first("bridge") ?? "")
    }
}
