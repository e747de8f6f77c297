import CommandTable
import Engine
import Failure
import LinuxSystem
import Networks

/// The flags of `run` and `create` about networks and ports.
enum NetworkFlags {
    /// After the names and extra hosts.
    static func apply(_ command: ParsedCommand, _ settings: inout ContainerSettings) throws(Failure) {
        var request = NetworkRequest()
        request.words = try command.parsedList(.network) { (text) throws(Failure) in
            try NetworkWord(parsing: text)
        }
        if request.words.isEmpty, let word = Process.environmentValue("CTR_NETWORK"), !word.isEmpty {
            do throws(Failure) {
                request.defaultWord = try NetworkWord(parsing: word)
            } catch {
                throw error.within("CTR_NETWORK")
            }
        }
        request.aliases = try command.parsedList(.networkAlias) { (text) throws(Failure) in
            try NetworkRequest.alias(text)
        }
        request.ip = try address(command, .ip, .v4)
        request.ip6 = try address(command, .ip6, .v6)
        request.linkLocal = try linkLocal(command)
        request.mac = try mac(command)
        request.ports = try command.parsedList(.publish) { (text) throws(Failure) in
            try PortRequest(parsing: text)
        }
        request.publishesAll = command.flag(.publishAll)
        request.exposed = try command.parsedList(.expose) { (text) throws(Failure) in
            try ExposedPorts(parsing: text)
        }
        request.dns = try command.parsedList(.dns) { (text) throws(Failure) in
            try NetworkRequest.server(text)
        }
        request.dnsSearch = try words(command, .dnsSearch)
        request.dnsOptions = try words(command, .dnsOption)
        request.balance = try command.parsed(.balance) { (text) throws(Failure) in
            try Balance(parsing: text)
        }
        for warning in try request.fill(&settings) { Console.error(warning + "\n") }
    }

    /// What `network connect` asks for.
    static func attachment(_ command: ParsedCommand) throws(Failure) -> NetworkAttachment {
        var attachment = NetworkAttachment(command.positionals[0])
        attachment.aliases = try command.parsedList(.alias) { (text) throws(Failure) in
            try NetworkRequest.alias(text)
        }
        for (flag, family) in [(FlagName.ip, IPFamily.v4), (.ip6, .v6)] {
            if let address = try address(command, flag, family) { attachment.addresses.append(address) }
        }
        attachment.linkLocal = try linkLocal(command)
        attachment.mac = try mac(command)
        return attachment
    }

    private static func address(
        _ command: ParsedCommand, _ flag: FlagName, _ family: IPFamily
    ) throws(Failure) -> IPAddress? {
        try command.parsed(flag) { (text) throws(Failure) in try NetworkRequest.address(text, family) }
    }

    private static func linkLocal(_ command: ParsedCommand) throws(Failure) -> [IPAddress] {
        try command.parsedList(.linkLocalIP) { (text) throws(Failure) in try NetworkRequest.linkLocal(text) }
    }

    private static func mac(_ command: ParsedCommand) throws(Failure) -> MACAddress? {
        try command.parsed(.macAddress) { (text) throws(Failure) in try NetworkRequest.macAddress(text) }
    }

    private static func words(_ command: ParsedCommand, _ flag: FlagName) throws(Failure) -> [String] {
        try command.parsedList(flag) { (text) throws(Failure) in try NetworkRequest.resolverWord(text) }
    }
}
