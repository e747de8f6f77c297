package import Failure
internal import Networks

/// One `--network`: a network with what the container is to have on it, or one of the words that leave no choice.
package enum NetworkWord: Sendable, Equatable {
    /// `host`, `none`, `container:NAME`, `ns:PATH`: no network of ctr's.
    case mode(String)
    case network(NetworkAttachment)

    /// `NAME`, docker's `NAME,alias=a,ip=10.1.0.5` and `name=NAME,alias=a`, podman's `NAME:alias=a,ip=10.1.0.5`.
    ///
    /// - Throws: `invalidArgument`, without the flag's name.
    package init(parsing text: String) throws(Failure) {
        let fields = text.split(separator: ",", omittingEmptySubsequences: false)
        var (options, name) = (Array(fields.dropFirst()), fields.first.map(String.init) ?? "")
        if name == "host" || name == "none" || name.hasPrefix("container:") || name.hasPrefix("ns:") {
            guard options.isEmpty else {
                throw Failure(.invalidArgument, "\(name) has no networks of its own, and takes no options")
            }
            self = .mode(try NetworkWord.mode(name))
            return
        }
        if let colon = name.firstIndex(of: ":") {
            options.insert(name[name.index(after: colon)...], at: 0)
            name = String(name[..<colon])
        } else if name.contains("=") {
            options.insert(fields[0], at: 0)
            name = ""
        }
        var attachment = NetworkAttachment(name)
        for option in options { try attachment.set(option, of: text) }
        guard !attachment.network.isEmpty else {
            throw Failure(.invalidArgument, "\"\(text)\" names no network")
        }
        // docker's and podman's words for the network that is always there.
        if attachment.network == "default" || attachment.network == "private" {
            attachment.network = NetworkStore.defaultName
        }
        guard NetworkName.isValid(attachment.network) else {
            throw Failure(
                .invalidArgument, "\"\(attachment.network)\" cannot be the name of a network",
                hint:
                    "it is none, host, container:NAME, ns:PATH or a network's name, with options after a comma"
            )
        }
        self = .network(attachment)
    }

    private static func mode(_ word: String) throws(Failure) -> String {
        guard let colon = word.firstIndex(of: ":") else { return word }
        let rest = word[word.index(after: colon)...]
        if rest.isEmpty {
            throw Failure(
                .invalidArgument, "nothing follows \(word)", hint: "it is container:NAME or ns:PATH")
        }
        if word.hasPrefix("ns:"), !rest.hasPrefix("/") {
            throw Failure(.invalidArgument, "\(rest) is not an absolute path")
        }
        return word
    }
}

extension NetworkAttachment {
    private static let keys =
        "alias, ip, ip6, mac (mac-address), link-local-ip, interface (interface_name)"

    /// `KEY=VALUE`
    fileprivate mutating func set(_ option: Substring, of text: String) throws(Failure) {
        let key = option.prefix { $0 != "=" }
        guard key.count < option.count else {
            throw Failure(
                .invalidArgument, "\"\(option)\" in \"\(text)\" is not of the form KEY=VALUE",
                hint: "keys are \(NetworkAttachment.keys)")
        }
        let value = String(option.dropFirst(key.count + 1))
        switch key {
        case "name": network = value
        case "alias": aliases.append(try NetworkRequest.alias(value))
        case "ip", "ip6":
            let address = try NetworkRequest.address(value, key == "ip" ? .v4 : .v6)
            guard !addresses.contains(where: { $0.family == address.family }) else {
                throw Failure(.invalidArgument, "\"\(text)\" has two addresses of one family")
            }
            addresses.append(address)
        case "mac", "mac-address":
            mac = try NetworkRequest.macAddress(value)
        case "link-local-ip", "link_local_ip": linkLocal.append(try NetworkRequest.linkLocal(value))
        case "interface", "interface_name", "interface-name":
            interface = try NetworkRequest.interface(value)
        default:
            throw Failure(
                .invalidArgument, "\"\(key)\" in \"\(text)\" is no option of a network",
                hint: "keys are \(NetworkAttachment.keys)")
        }
    }
}
