internal import CommandTable
internal import Failure
internal import LinuxSystem
internal import NameService
internal import Networks

extension Engine {
    /// Writes the container's hosts, hostname and resolv.conf for a start.
    func writeNetworkFiles(
        of record: ContainerRecord, _ networks: PreparedNetworks?, in directory: borrowing FileDescriptor
    ) throws(Failure) {
        let settings = record.settings
        let owner = try settings.userNamespace.maps?.outside(uid: 0, gid: 0)
        if settings.network.hasPrefix("container:") {
            let other = try container(String(settings.network.dropFirst("container:".count)))
            let files = try containerStore.directory(of: other.id)
            return try NetworkFiles.copy(from: files.raw, to: directory.raw, owner: owner)
        }
        try networkFiles(of: record, networks?.networks ?? [], networks?.state).write(
            in: directory.raw, owner: owner)
    }

    func networkFiles(
        of record: ContainerRecord, _ networks: [Network], _ state: NetworkState?
    ) throws(Failure) -> NetworkFiles {
        let settings = record.settings
        let usesHost = settings.network == "host"
        var extraHosts: [String] = []
        for entry in settings.extraHosts {
            if usesHost, entry.hasSuffix(":" + ExtraHost.hostGateway) {
                extraHosts.append(entry.dropLast(ExtraHost.hostGateway.count) + "127.0.0.1")
            } else if let (name, address) = try extraHost(entry, networks) {
                extraHosts.append("\(name):\(address)")
            }
        }
        var files = NetworkFiles(
            hostname: settings.hostname, domainname: settings.domainname, extraHosts: extraHosts,
            usesHostNetwork: usesHost)
        files.addresses = (state?.endpoints ?? []).flatMap { endpoint in
            endpoint.addresses.map(\.address).filter { !$0.isLinkLocal }
        }
        let asked = settings.networking
        if state != nil {
            files.resolvers = try hostResolver(of: settings).containerFile()
        } else if !(asked.dns + asked.dnsSearch + asked.dnsOptions).isEmpty {
            files.resolvers = try hostResolver(of: settings).file()
        }
        return files
    }
}
