package import LinuxSystem
internal import Networks

/// resolv.conf(5): what the host asks, and what a container is told.
package struct HostResolver: Equatable, Sendable {
    /// As written, a zone included: `fe80::1%eth0`.
    package var servers: [String]
    package var search: [String]
    package var options: [String]

    package init(servers: [String], search: [String] = [], options: [String] = []) {
        self.servers = servers
        self.search = search
        self.options = options
    }

    /// What is unknown or wrong is passed over, as the C library does. The last of `search` and `domain` counts.
    package init(parsing text: String) {
        self.init(servers: [])
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let keyword = words.first, !keyword.hasPrefix("#"), !keyword.hasPrefix(";") else {
                continue
            }
            let values = Array(words.dropFirst())
            switch keyword {
            case "nameserver":
                if let server = values.first, Self.endpoint(server, deviceIndex: { _ in 0 }) != nil {
                    servers.append(server)
                }
            case "search": search = values
            case "domain": search = Array(values.prefix(1))
            case "options": options += values
            default: continue
            }
        }
    }

    /// Where questions go: port 53 of each server.
    ///
    /// - Parameter deviceIndex: of the device that a link-local address names; nil: there is none, and the server is left out.
    package func upstream(deviceIndex: (String) -> UInt32?) -> [InternetEndpoint] {
        servers.compactMap { Self.endpoint($0, deviceIndex: deviceIndex) }
    }

    /// A number of an option, e.g. 5 of `timeout:5`; the last counts.
    package func number(ofOption name: String) -> Int? {
        options.last { $0.hasPrefix(name + ":") }.flatMap { Int($0.dropFirst(name.utf8.count + 1)) }
    }

    /// A container's file, that leads to its own resolver. `ndots:0` unless the options say otherwise: names of containers
    /// have no dots, and are asked for as they are before any search domain is added to them.
    package func containerFile() -> String {
        var text = "nameserver 127.0.0.11\n"
        if !search.isEmpty { text += "search \(search.joined(separator: " "))\n" }
        let told = options.contains { $0.hasPrefix("ndots:") } ? options : options + ["ndots:0"]
        text += "options \(told.joined(separator: " "))\n"
        return text
    }

    /// As a file of its own.
    package func file() -> String {
        var text = servers.map { "nameserver \($0)\n" }.joined()
        if !search.isEmpty { text += "search \(search.joined(separator: " "))\n" }
        if !options.isEmpty { text += "options \(options.joined(separator: " "))\n" }
        return text
    }

    private static func endpoint(_ text: String, deviceIndex: (String) -> UInt32?) -> InternetEndpoint? {
        let parts = text.split(separator: "%", maxSplits: 1)
        guard let first = parts.first, let address = IPAddress(String(first)) else { return nil }
        var scope: UInt32 = 0
        if parts.count == 2 {
            guard let index = UInt32(parts[1]) ?? deviceIndex(String(parts[1])) else { return nil }
            scope = index
        }
        return InternetEndpoint(address: address.bytes, port: 53, scope: scope)
    }
}
