package import Failure
internal import LinuxSystem
package import Networks

/// /etc/hosts, /etc/hostname and /etc/resolv.conf of a container, in its directory, mounted as docker does. Written
/// anew at each start; what a running container writes to them stays until then.
package struct NetworkFiles: Sendable {
    package var hostname: String
    package var domainname: String
    /// `name:address` as `--add-host` takes it.
    package var extraHosts: [String]
    /// The host's own network: its files go in as they are.
    package var usesHostNetwork: Bool
    /// On its networks; without one, 127.0.1.1 has its name.
    package var addresses: [IPAddress] = []
    /// nil: the host's, as far as it is of use.
    package var resolvers: String?

    package init(hostname: String, domainname: String, extraHosts: [String], usesHostNetwork: Bool) {
        self.hostname = hostname
        self.domainname = domainname
        self.extraHosts = extraHosts
        self.usesHostNetwork = usesHostNetwork
    }

    package static let names = ["hosts", "hostname", "resolv.conf"]

    /// - Parameter owner: of the files; nil: ctr's own user.
    package func write(in directory: Int32, owner: (uid: UInt32, gid: UInt32)? = nil) throws(Failure) {
        try during("write the container's hosts file") { () throws(SystemError) in
            try NetworkFiles.put(hosts(host: try read("/etc/hosts")), "hosts", directory, owner)
            try NetworkFiles.put(hostname + "\n", "hostname", directory, owner)
            var text = resolvers
            if text == nil {
                text = NetworkFiles.resolvers(
                    host: try read("/etc/resolv.conf"), keepLoopback: usesHostNetwork)
            }
            try NetworkFiles.put(text ?? "", "resolv.conf", directory, owner)
        }
    }

    /// Those of another container, whose network this one has.
    package static func copy(
        from other: Int32, to directory: Int32, owner: (uid: UInt32, gid: UInt32)?
    ) throws(Failure) {
        try during("copy the hosts file of the other container") { () throws(SystemError) in
            for name in names {
                let bytes = try AtomicFile.read(name, in: other, limit: 1 << 20) ?? []
                try put(String(decoding: bytes, as: UTF8.self), name, directory, owner)
            }
        }
    }

    private static func put(
        _ text: String, _ name: String, _ directory: Int32, _ owner: (uid: UInt32, gid: UInt32)?
    ) throws(SystemError) {
        // Opened, not renamed: a bind mount of the file goes on showing the old inode otherwise.
        let file = try FileDescriptor.open(
            name, in: directory, [.writeOnly, .create, .truncate, .noFollow], mode: 0o644)
        try file.changeMode(0o644)
        if let owner { try file.changeOwner(uid: owner.uid, gid: owner.gid) }
        try file.write(text)
    }

    private func read(_ path: String) throws(SystemError) -> String {
        String(decoding: try AtomicFile.read(path, limit: 1 << 20) ?? [], as: UTF8.self)
    }

    func hosts(host: String) -> String {
        var text = ""
        if usesHostNetwork, !host.isEmpty {
            text = host.hasSuffix("\n") ? host : host + "\n"
        } else {
            text = """
                127.0.0.1\tlocalhost
                ::1\tlocalhost ip6-localhost ip6-loopback
                fe00::0\tip6-localnet
                ff00::0\tip6-mcastprefix
                ff02::1\tip6-allnodes
                ff02::2\tip6-allrouters

                """
            let names = domainname.isEmpty ? hostname : "\(hostname).\(domainname) \(hostname)"
            if addresses.isEmpty { text += "127.0.1.1\t\(names)\n" }
            for address in addresses { text += "\(address)\t\(names)\n" }
        }
        for entry in extraHosts {
            guard let colon = entry.firstIndex(of: ":") else { continue }
            text += "\(entry[entry.index(after: colon)...])\t\(entry[..<colon])\n"
        }
        return text
    }

    /// The host's file without resolvers on loopback, which the container's own network cannot reach.
    static func resolvers(host: String, keepLoopback: Bool) -> String {
        if keepLoopback { return host }
        return host.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count > 1, words[0] == "nameserver" else { return true }
            return !words[1].hasPrefix("127.") && words[1] != "::1"
        }.joined(separator: "\n")
    }
}
