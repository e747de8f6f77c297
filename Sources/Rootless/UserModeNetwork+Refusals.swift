package import Failure
internal import LinuxSystem
internal import Networks

extension UserModeNetwork {
    /// What this program cannot do is refused, not passed over.
    package func refuse(_ ports: [Port]) throws(Failure) {
        var seen: [Endpoint: IPAddress?] = [:]
        for port in ports {
            let shown = port.shown
            guard port.transport != .sctp else {
                throw Failure(.unsupported, "publish \(shown): \(kind.rawValue) knows tcp and udp only")
            }
            if kind == .slirp4netns, port.hostAddress?.family == .v6 {
                throw Failure(
                    .unsupported, "publish \(shown): slirp4netns publishes on IPv4 addresses only",
                    hint: "install pasta: apt-get install passt, as root")
            }
            let place = Endpoint(transport: port.transport, port: port.hostPort)
            if let other = seen.updateValue(port.hostAddress, forKey: place), kind == .pasta {
                throw Failure(
                    .unsupported,
                    "publish \(shown): pasta has a port on one address or on all, and \(other.map(\.description) ?? "every address") has it already"
                )
            }
        }
    }

    private struct Endpoint: Hashable {
        let transport: Transport
        let port: UInt16
    }

    /// The device of the kernel's that either program makes the container's of.
    /// - Throws: with the line that mends it, as root.
    package static func checkDevice() throws(Failure) {
        do throws(SystemError) {
            _ = try FileDescriptor.open("/dev/net/tun", .readWrite)
        } catch {
            let mend: String? =
                switch error.errno {
                case Errno.noEntry, Errno.noDevice: "modprobe tun"
                case Errno.accessDenied: "chmod 666 /dev/net/tun"
                default: nil
                }
            throw Failure(error.code, "open /dev/net/tun: \(error.reason)", hint: mend, cause: error)
        }
    }

    /// The program's words as a failure of ctr's.
    func failure(saying text: String) -> Failure {
        // Where there is no log of the system, it says so for each of its lines.
        let lines = text.split(whereSeparator: \.isNewline).filter {
            !$0.hasPrefix("Failed to send ") && !$0.hasPrefix("WARNING: Support for")
        }
        let reason = lines.last.map(String.init) ?? "it ended without a word"
        return Failure(.internal, "start \(path): \(reason)")
    }
}

extension UserModeNetwork.Port {
    /// `127.0.0.1:8080/tcp`
    var shown: String {
        let word = transport == .udp ? "udp" : transport == .tcp ? "tcp" : "sctp"
        guard let hostAddress else { return "port \(hostPort)/\(word)" }
        return
            (hostAddress.family == .v6 ? "[\(hostAddress)]:" : "\(hostAddress):") + "\(hostPort)/\(word)"
    }
}
