internal import LinuxSystem
internal import Networks

/// Who has a port of this host, told from /proc: for the words of a failure.
struct PortHolder: CustomStringConvertible {
    private(set) var name: String?
    private(set) var pid: Int32 = 0

    init(_ port: UInt16, _ transport: Transport) {
        guard let inode = PortHolder.inode(of: port, transport) else { return }
        let processes = (try? Directory.names(in: try Directory.open("/proc"))) ?? []
        for process in processes {
            guard let number = Int32(process), PortHolder.holds(number, "socket:[\(inode)]") else { continue }
            let bytes = (try? AtomicFile.read("/proc/\(number)/comm", limit: 64)) ?? nil
            name = String(decoding: (bytes ?? []).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
            pid = number
            return
        }
    }

    var isMonitor: Bool { name == "ctr-monitor" }

    var description: String { name.map { "\($0) (process \(pid))" } ?? "another program" }

    /// proc_net(5): the second column is the own address and port in hexadecimal, the tenth the socket's inode.
    private static func inode(of port: UInt16, _ transport: Transport) -> String? {
        let hex = String(port, radix: 16, uppercase: true)
        let suffix = ":" + String(repeating: "0", count: 4 - hex.count) + hex
        for file in [transport.word, transport.word + "6"] {
            let bytes = (try? AtomicFile.read("/proc/self/net/\(file)", limit: 16 << 20)) ?? nil
            for line in (bytes ?? []).split(separator: UInt8(ascii: "\n")).dropFirst() {
                let words = String(decoding: line, as: UTF8.self).split(separator: " ")
                guard words.count > 9, words[1].hasSuffix(suffix), words[9] != "0" else { continue }
                return String(words[9])
            }
        }
        return nil
    }

    private static func holds(_ pid: Int32, _ socket: String) -> Bool {
        guard let directory = try? Directory.open("/proc/\(pid)/fd"),
            let names = try? Directory.names(in: directory)
        else { return false }
        return names.contains { (try? Directory.readLink($0, in: directory.raw))?.shown == socket }
    }
}
