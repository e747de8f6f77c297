package import Failure
package import LinuxSystem
package import Networks

/// What a resolver answers from, and whom it asks.
package struct ResolverConfiguration: Equatable, Sendable {
    /// In this order: the first network that has a name answers it.
    package var networks: [Network]
    /// Names that are told before all networks' (`--add-host`, `--link`).
    package var hosts: [Host]
    /// Asked one after the other; empty where nothing may leave (internal networks).
    package var upstream: [InternetEndpoint]
    /// How long one server is waited for, in milliseconds, and how many questions are sent for one that was asked
    /// (resolv.conf's `timeout` and `attempts`, the latter over all servers).
    package var patience: Int64
    package var attempts: Int

    package struct Network: Equatable, Sendable {
        /// Also asked for by: `web.NAME`.
        package var name: String
        /// Of its endpoint directory.
        package var path: String
        /// Nothing that is asked of these addresses goes upstream.
        package var subnets: [IPPrefix]

        package init(name: String, path: String, subnets: [IPPrefix]) {
            self.name = name
            self.path = path
            self.subnets = subnets
        }
    }

    package struct Host: Equatable, Sendable {
        package var name: String
        package var address: IPAddress

        package init(name: String, address: IPAddress) {
            self.name = name
            self.address = address
        }
    }

    /// Three questions of 1.5 s: over before a client of the usual 5 s asks again.
    package init(
        networks: [Network], hosts: [Host] = [], upstream: [InternetEndpoint], patience: Int64 = 1500,
        attempts: Int = 3
    ) {
        self.networks = networks
        self.hosts = hosts
        self.upstream = upstream
        self.patience = patience
        self.attempts = attempts
    }
}

extension ResolverConfiguration {
    private static let kind = "ctr-resolver 1"

    /// To be handed to the process that resolves.
    package var record: FlatRecord {
        var record = FlatRecord(kind: Self.kind)
        for network in networks {
            record.add("network", network.name)
            record.add("path", network.path)
            for subnet in network.subnets { record.add("subnet", "\(network.name) \(subnet)") }
        }
        record.add("host", all: hosts.map { "\($0.address) \($0.name)" })
        record.add(
            "upstream",
            all: upstream.compactMap { server in
                IPAddress(bytes: server.address).map { "\($0) \(server.port) \(server.scope)" }
            })
        record.add("patience", String(patience))
        record.add("attempts", String(attempts))
        return record
    }

    package init(parsing bytes: [UInt8]) throws(Failure) {
        let record = try FlatRecord(kind: Self.kind, parsing: bytes, name: "the resolver's configuration")
        let names = record.all("network")
        let paths = record.all("path")
        let damaged = Failure(.dataLoss, "the resolver's configuration is damaged")
        guard names.count == paths.count, let patience = record.first("patience").flatMap({ Int64($0) }),
            let attempts = record.first("attempts").flatMap({ Int($0) })
        else { throw damaged }
        var networks: [Network] = []
        for (name, path) in zip(names, paths) {
            networks.append(Network(name: name, path: path, subnets: []))
        }
        for line in record.all("subnet") {
            let (name, text) = Self.halves(line)
            guard let i = networks.firstIndex(where: { $0.name == name }) else { throw damaged }
            networks[i].subnets.append(try IPPrefix(text))
        }
        var hosts: [Host] = []
        for line in record.all("host") {
            let (address, name) = Self.halves(line)
            guard let address = IPAddress(address) else { throw damaged }
            hosts.append(Host(name: name, address: address))
        }
        var upstream: [InternetEndpoint] = []
        for line in record.all("upstream") {
            let words = line.split(separator: " ")
            guard words.count == 3, let address = IPAddress(String(words[0])), let port = UInt16(words[1]),
                let scope = UInt32(words[2])
            else { throw damaged }
            upstream.append(InternetEndpoint(address: address.bytes, port: port, scope: scope))
        }
        self.init(
            networks: networks, hosts: hosts, upstream: upstream, patience: patience, attempts: attempts)
    }

    /// Before and after the first space.
    private static func halves(_ line: String) -> (String, String) {
        let first = line.prefix { $0 != " " }
        return (String(first), String(line.dropFirst(first.count + 1)))
    }
}
