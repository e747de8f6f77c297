import Failure
import Glibc
import LinuxSystem
import Networks
import Rootless
import Testing

/// A machine with one ordinary user, a container of that user's, and what is outside; each a network namespace of its own.
///
///     outside 192.0.2.2, 2001:db8:1::2 - machine 192.0.2.1, 2001:db8:1::1 ~ pasta or slirp4netns ~ container
final class Machine {
    static let uid = "54321"
    static let monitor: String? = {
        var places: [String] = []
        if let directory = Process.environmentValue("CTR_BIN_DIR") { places.append(directory) }
        let checkout = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        places += ["\(checkout)/.build/debug", "\(checkout)/.build/release"]
        return places.map { $0 + "/ctr-monitor" }.first { (try? FileDescriptor.exists($0)) ?? false }
    }()
    static let canRun =
        Process.isRoot && (try? NetworkNamespace.make()) != nil && monitor != nil
        && ["/usr/bin/setpriv", "/usr/bin/nsenter", "/usr/bin/unshare"].allSatisfy {
            (try? FileDescriptor.exists($0)) == true
        }
    static func has(_ kind: UserModeNetwork.Kind) -> Bool {
        HelperProgram.find(kind.rawValue, in: nil) != nil
    }

    let network: SharedFileDescriptor
    let outside: SharedFileDescriptor
    let container: SharedFileDescriptor
    let directory: String
    /// In the user's namespaces, and in the container's network.
    private let user: Int32
    /// Stands for the container's first process.
    private var process: Int32

    /// - Parameter hasNetwork: else the machine has a loopback and nothing more.
    init(hasNetwork: Bool = true) throws {
        var template = Array("/tmp/ctr-rootless-XXXXXX".utf8CString)
        directory = try #require(
            template.withUnsafeMutableBufferPointer { name in
                name.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
            })
        chmod(directory, 0o755)
        network = SharedFileDescriptor(try NetworkNamespace.make())
        outside = SharedFileDescriptor(try NetworkNamespace.make())
        let wire = outside.raw
        try Machine.inside(network) {
            var routes = try RouteSocket()
            try routes.setUp("lo")
            guard hasNetwork else { return }
            try routes.addVeth(VethEnd(name: "uplink"), peer: VethEnd(name: "wire"), in: wire)
        }
        if hasNetwork {
            let macs = try [
                Machine.configure(network, "uplink", "1", router: "2"),
                Machine.configure(outside, "wire", "2", router: nil),
            ]
            try Machine.know(network, "uplink", "2", macs[1])
            try Machine.know(outside, "wire", "1", macs[0])
        }
        // A copy: this program's descriptors are in each of its children for a moment, and the file must not be busy.
        _ = try Machine.run("/bin/cp", try #require(Machine.monitor), directory + "/ctr-monitor")
        // Of a build machine the device may be root's alone; elsewhere it is everybody's.
        let script = """
            mount -t tmpfs none /mnt && mknod /mnt/tun c 10 200 && chmod 666 /mnt/tun &&
            mount --bind /mnt/tun /dev/net/tun || exit 1
            exec setpriv --reuid \(Machine.uid) --regid \(Machine.uid) --clear-groups \
                unshare -U -r -m -n sh -c 'echo ready; exec sleep 1000'
            """
        let words = try FileDescriptor.pipe()
        let out = words.second.raw
        user = try Machine.inside(network) {
            try Process.spawn(
                program: try FileDescriptor.open("/usr/bin/unshare", [.pathOnly]),
                arguments: ["unshare", "-m", "sh", "-c", script],
                environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
                output: out)
        }
        let isReady = try FileDescriptor.wait(for: words.first.raw, milliseconds: 20_000)
        try #require(isReady)
        container = SharedFileDescriptor(try FileDescriptor.open("/proc/\(user)/ns/net"))
        process = try Machine.sleeper()
    }

    deinit {
        for process in [user, process] where process > 0 {
            Launching.kill(process, Signal.kill)
            _ = try? Process.reap(process)
        }
        try? Directory.removeTree(directory)
    }

    private static func configure(
        _ place: SharedFileDescriptor, _ device: String, _ number: String, router: String?
    ) throws -> MACAddress {
        try inside(place) {
            // A wire that has been there for long: nobody waits for the detection of duplicates.
            try FileDescriptor.open("/proc/sys/net/ipv6/conf/\(device)/accept_dad", .writeOnly).write("0")
            var routes = try RouteSocket()
            try routes.setUp("lo")
            let index = try routes.index(of: device)
            try routes.add(InterfaceAddress("192.0.2.\(number)/24"), to: index)
            try routes.add(InterfaceAddress("2001:db8:1::\(number)/64"), to: index)
            try routes.setUp(device)
            if let router {
                for text in ["192.0.2.\(router)", "2001:db8:1::\(router)"] {
                    try routes.add(.byDefault(through: try #require(IPAddress(text)), index: index))
                }
            }
            return try #require(routes.link(named: device)?.mac)
        }
    }

    /// As those who have talked before.
    private static func know(
        _ place: SharedFileDescriptor, _ device: String, _ number: String, _ mac: MACAddress
    ) throws {
        try inside(place) {
            var routes = try RouteSocket()
            let index = try routes.index(of: device)
            for text in ["192.0.2.\(number)", "2001:db8:1::\(number)"] {
                try routes.add(neighbour: try #require(IPAddress(text)), is: mac, on: index)
            }
            try routes.waitForCarrier(device)
        }
    }

    private static func sleeper() throws -> Int32 {
        try Process.spawn(
            program: try FileDescriptor.open("/bin/sleep", [.pathOnly]), arguments: ["sleep", "1000"],
            environment: [])
    }

    func endContainer() throws {
        Launching.kill(process, Signal.kill)
        _ = try Process.reap(process)
        process = 0
    }

    static func run(_ words: String...) throws -> Int32 {
        let pid = try Process.spawn(
            program: try FileDescriptor.open(words[0], [.pathOnly]), arguments: words, environment: [])
        return try #require(try Process.reap(pid)).status
    }

    static func inside<R>(_ namespace: SharedFileDescriptor, _ body: () throws -> R) throws -> R {
        var result: Result<R, any Error>?
        try NetworkNamespace.inside(namespace.raw) { () throws(SystemError) in result = Result { try body() }
        }
        return try #require(result).get()
    }

    // MARK: - The program

    /// Starts it as the user, and waits until it is ready.
    func start(_ kind: UserModeNetwork.Kind, _ ports: UserModeNetwork.Port...) throws -> ProcessIdentity {
        let program = UserModeNetwork(
            kind, path: try #require(HelperProgram.find(kind.rawValue, in: nil)).path)
        let keeper = UserModeNetwork.Keeper(
            try FileDescriptor.open("/usr/bin/setpriv", [.pathOnly]),
            words: [
                "setpriv", "--reuid", Machine.uid, "--regid", Machine.uid, "--clear-groups",
                "/usr/bin/nsenter", "-t", String(user), "-U", "-m", "--preserve-credentials",
                // As in a service of systemd's.
                "/usr/bin/env", "--ignore-signal=PIPE",
                directory + "/ctr-monitor",
            ])
        let beside = try Launching.openProcess(process)
        let namespace = try container.duplicate()
        return try Machine.inside(network) {
            try FileDescriptor.withBorrowed(beside.raw) { (beside) throws(Failure) in
                try program.start(in: namespace, beside: beside, ports: ports, keeper: keeper).wait()
            }
        }
    }

    /// The processes that have the keeper's process namespace or one below: the keeper is one.
    static func processes(below keeper: ProcessIdentity) -> [Int32] {
        var found = [keeper.pid]
        while true {
            let more = allProcesses().filter { process in
                !found.contains(process)
                    && ProcessIdentity(running: process)?.parent.map(found.contains) ?? false
            }
            if more.isEmpty { return found.filter { ProcessIdentity(running: $0) != nil } }
            found += more
        }
    }

    private static func allProcesses() -> [Int32] {
        guard let proc = try? Directory.open("/proc"), let names = try? Directory.names(in: proc) else {
            return []
        }
        return names.compactMap { Int32($0) }
    }

    static func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
        for _ in 0..<1000 {
            if try condition() { return true }
            usleep(20_000)
        }
        return false
    }
}
