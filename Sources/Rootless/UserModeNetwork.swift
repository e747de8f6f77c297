package import Failure
package import LinuxSystem
package import Networks

/// A container's way to the world for who may not touch the machine's network: a program (pasta or slirp4netns) with a
/// device in the container's network namespace, and with sockets of its own in the namespace of whoever starts it. What
/// the container sends is sent by those sockets; published ports are the program's, and lead straight into the container.
///
/// The program lives below a keeper (`ctr-monitor network`), which is the first process of a process namespace: the kernel
/// ends the program with it. The keeper ends with the container, and starts the program again when it ends by itself.
package struct UserModeNetwork: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        case pasta
        case slirp4netns
    }

    package let kind: Kind
    package let path: String

    package init(_ kind: Kind, path: String) {
        self.kind = kind
        self.path = path
    }

    /// The best program that is installed; nil without one.
    /// - Parameter searched: directories as in PATH.
    package static func find(in searched: String? = Process.environmentValue("PATH")) -> UserModeNetwork? {
        for kind in Kind.allCases {
            if let program = HelperProgram.find(kind.rawValue, in: searched) {
                return UserModeNetwork(kind, path: program.path)
            }
        }
        return nil
    }

    /// As ``find(in:)``.
    /// - Throws: `unsupported`, with the line that installs one.
    package static func require() throws(Failure) -> UserModeNetwork {
        if let found = find() { return found }
        throw Failure(
            .unsupported,
            "neither pasta nor slirp4netns is installed: containers of ordinary users reach nobody",
            hint: "apt-get install passt, as root; or use --network none or host, or an internal network")
    }

    // MARK: - In the container

    /// The program's device, beside those of the container's networks. The default route leads there.
    package static let interface = "tap0"
    /// What the addresses of the device are in; the same in every container, for nobody else ever sees them. (A block that
    /// is for tests of routers: no network that a container wants to reach.)
    package static let subnet = IPPrefix(of: .v4(IPv4Address(value: 0xc613_ff00)), length: 24)

    // MARK: - Ports

    /// A port of the machine's and where it leads.
    package struct Port: Sendable, Hashable {
        package var transport: Transport
        /// nil: every address.
        package var hostAddress: IPAddress?
        package var hostPort: UInt16
        package var containerPort: UInt16

        package init(
            _ transport: Transport, hostAddress: IPAddress? = nil, hostPort: UInt16, containerPort: UInt16
        ) {
            self.transport = transport
            self.hostAddress = hostAddress
            self.hostPort = hostPort
            self.containerPort = containerPort
        }
    }

    // MARK: - Starting

    /// The program of the keeper, and how it is started.
    package struct Keeper: ~Copyable {
        let program: FileDescriptor
        let words: [String]

        /// - Parameters:
        ///   - program: `ctr-monitor`, open; or what starts it by further words.
        ///   - words: the arguments with which it is `ctr-monitor`.
        package init(_ program: consuming FileDescriptor, words: [String] = ["ctr-monitor"]) {
            self.program = program
            self.words = words
        }
    }

    /// Starts the program, and does not wait until it is ready: that takes some 35 ms.
    /// - Parameters:
    ///   - namespace: the container's network namespace; this process's user namespace is its owner, or above that one.
    ///   - process: a pidfd of the container's first process: all of this ends with it.
    ///   - ports: free, as far as is known; a range is a port for each.
    /// - Throws: `unsupported` where this program cannot publish a port.
    package func start(
        in namespace: borrowing FileDescriptor, beside process: borrowing FileDescriptor, ports: [Port],
        keeper: borrowing Keeper
    ) throws(Failure) -> Starting {
        try refuse(ports)
        try UserModeNetwork.checkDevice()
        let routes = try during("read the machine's routes") { () throws(SystemError) in
            var socket = try RouteSocket()
            return Set(
                try socket.routes().filter { $0.destination.length == 0 && $0.gateway != nil }.map {
                    $0.destination.family
                })
        }
        let (given, open) = (
            keeper.words + ["network"] + keeperWords(ports, outside: routes),
            [namespace.raw, process.raw]
        )
        return try during("start \(kind.rawValue)") { () throws(SystemError) in
            let ends = try UnixSocket.pair(.packet)
            let child = try Process.spawn(
                program: keeper.program, arguments: given, environment: [],
                passed: [ends.second.raw] + open)
            return Starting(self, child: child, socket: try ends.first.duplicate())
        }
    }

    /// Ends it; its ports are free afterwards. One that is gone needs no ending.
    package static func stop(_ process: ProcessIdentity) throws(Failure) {
        try during("end the user-mode network") { () throws(SystemError) in
            guard let open = try process.open() else { return }
            try Process.signal(Signal.kill, to: open)
            // The first process of a process namespace is waited for by nobody before all others there are gone.
            guard try Process.waitForExit(open, milliseconds: 10_000) else {
                throw SystemError(call: "kill", path: nil, errno: Errno.timedOut)
            }
        }
    }
}
