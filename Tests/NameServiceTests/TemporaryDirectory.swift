import Foundation
import NameService
import Networks

/// A directory of its own for one test, gone with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        path =
            FileManager.default.temporaryDirectory.appendingPathComponent("names-\(UUID().uuidString)").path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func names(_ part: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(part)")) ?? []).sorted()
    }
}

extension NamedEndpoint {
    /// The container with the number n: 10.9.x.y, and fd00::n where it has both.
    static func numbered(
        _ n: Int, name: String? = nil, aliases: [String] = [], both: Bool = false, ports: [Port] = [],
        weight: UInt16 = 1
    ) -> NamedEndpoint {
        let v4 = IPAddress.v4(IPv4Address(value: 0x0a09_0000 + UInt32(n)))
        return NamedEndpoint(
            containerID: id(n), name: name ?? "box-\(n)", aliases: aliases, hostname: "host-\(n)",
            addresses: both ? [v4, .v6(IPv6Address(high: 0xfd00 << 48, low: UInt64(n)))] : [v4], ports: ports,
            weight: weight)
    }

    static func id(_ n: Int) -> String {
        let digits = String(n, radix: 16)
        return "c" + String(repeating: "0", count: 7 - digits.count) + digits
            + String(repeating: "e", count: 56)
    }
}
