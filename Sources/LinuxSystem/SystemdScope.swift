internal import CLinux
package import Failure
internal import Glibc

/// Transient scopes of systemd (org.freedesktop.systemd1(5)): the one way to have a cgroup on its machine that it
/// leaves alone.
package enum SystemdScope {
    /// Makes a delegated scope that holds the process, and returns when systemd has moved it there.
    ///
    /// - Parameters:
    ///   - name: `ctr-….scope`.
    ///   - slice: `system.slice`; made by systemd if it is not there.
    ///   - bus: the socket of another bus than the system's: a user's own.
    /// - Throws: `unavailable` where the bus cannot be reached, `alreadyExists` for a scope of that name, else systemd's
    ///   own words.
    package static func start(
        name: String, slice: String, description: String, pid: Int32,
        bus: String = ""
    ) throws(Failure) {
        let doing = "start the systemd scope \(name)"
        let bus = bus.isEmpty ? "/run/dbus/system_bus_socket" : bus
        do throws(Failure) {
            let connection: Connection
            do throws(SystemError) {
                connection = try Connection(bus)
            } catch {
                throw error.failure(
                    "connect to \(bus)", hint: "systemd runs here, but its bus does not answer")
            }
            try connection.start(
                name: name, slice: slice, description: description, pid: UInt32(bitPattern: pid))
        } catch {
            throw error.within(doing)
        }
    }

    static let manager = "org.freedesktop.systemd1"

    /// The calls up to the scope, in one go: nothing of the second depends on the first's answer.
    static func calls(name: String, slice: String, description: String, pid: UInt32) -> [DBusMessage] {
        let bus = "org.freedesktop.DBus"
        let path = "/org/freedesktop/systemd1"
        let interface = "org.freedesktop.systemd1.Manager"
        let property = { (name: String, value: DBusMessage.Value) in
            DBusMessage.Value.structure([.string(name), .variant(value)])
        }
        let properties: [DBusMessage.Value] = [
            property("Description", .string(description)),
            property("Slice", .string(slice)),
            property("PIDs", .array(of: "u", [.uint32(pid)])),
            property("Delegate", .boolean(true)),
            // A scope that failed must not keep its name.
            property("CollectMode", .string("inactive-or-failed")),
            // The container's own limit counts, not systemd's default for units.
            property("TasksMax", .uint64(UInt64.max)),
        ]
        return [
            DBusMessage(
                serial: 1, destination: bus, path: "/org/freedesktop/DBus", interface: bus, member: "Hello"),
            DBusMessage(
                serial: 2, destination: bus, path: "/org/freedesktop/DBus", interface: bus,
                member: "AddMatch",
                [
                    .string(
                        "type='signal',sender='\(manager)',interface='\(interface)',member='JobRemoved',path='\(path)'"
                    )
                ]),
            DBusMessage(
                serial: 3, destination: manager, path: path, interface: interface, member: "Subscribe"),
            DBusMessage(
                serial: 4, destination: manager, path: path, interface: interface,
                member: "StartTransientUnit",
                [
                    .string(name), .string("fail"), .array(of: "(sv)", properties),
                    .array(of: "(sa(sv))", []),
                ]),
        ]
    }
}

extension SystemdScope {
    private struct Connection: ~Copyable {
        let socket: FileDescriptor
        /// systemd answers in milliseconds; one that does not in half a minute is not going to.
        let deadline = monotonicNanoseconds() + 30_000_000_000

        init(_ bus: String) throws(SystemError) {
            let slash = bus.lastIndex(of: "/") ?? bus.startIndex
            let directory = try Directory.open(String(bus[..<slash]))
            socket = try UnixSocket.connect(
                String(bus[slash...].dropFirst()), in: directory.raw, .stream)
        }

        /// SASL EXTERNAL: the kernel tells the bus who we are; the hex digits are of the uid's decimal digits.
        private borrowing func authenticate() throws(Failure) {
            // The bus sees who this process is outside of its namespace.
            let uid = String(UserNamespace.outerUID).utf8.map { String($0, radix: 16) }.joined()
            try write([0] + Array("AUTH EXTERNAL \(uid)\r\n".utf8))
            var line: [UInt8] = []
            while line.last != UInt8(ascii: "\n"), line.count < 512 { line += try read(1) }
            guard line.starts(with: Array("OK ".utf8)) else {
                throw Failure(.permissionDenied, "the system bus refuses this user")
            }
            try write(Array("BEGIN\r\n".utf8))
        }

        borrowing func start(name: String, slice: String, description: String, pid: UInt32) throws(Failure) {
            try authenticate()
            let calls = SystemdScope.calls(name: name, slice: slice, description: description, pid: pid)
            try write(calls.flatMap { $0.encoded() })
            var job: String?
            // A job can be over before its answer is here.
            var ended: [String: String] = [:]
            while true {
                let message = try receive()
                if message.kind == .error, let serial = message.replySerial, (1...4).contains(serial) {
                    throw refusal(message, calls[Int(serial) - 1].member ?? "")
                }
                if message.kind == .methodReturn, message.replySerial == 4,
                    case .objectPath(let path)? = message.body.first
                {
                    job = path
                }
                // u id, o job, s unit, s result
                if message.kind == .signal, message.member == "JobRemoved", message.body.count == 4,
                    case .objectPath(let path) = message.body[1], case .string(let result) = message.body[3]
                {
                    ended[path] = result
                }
                guard let job, let result = ended[job] else { continue }
                if result == "done" { return }
                throw Failure(.unavailable, "systemd's job ended with \"\(result)\"")
            }
        }

        private borrowing func refusal(_ message: DBusMessage, _ call: String) -> Failure {
            let name = message.errorName ?? "an error"
            var words = name
            if case .string(let text)? = message.body.first { words = text }
            let code: Failure.Code =
                switch name {
                case "org.freedesktop.systemd1.UnitExists": .alreadyExists
                case "org.freedesktop.DBus.Error.AccessDenied",
                    "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired":
                    .permissionDenied
                case "org.freedesktop.DBus.Error.ServiceUnknown": .unavailable
                default: .internal
                }
            return Failure(code, "\(call): \(words)")
        }

        private borrowing func receive() throws(Failure) -> DBusMessage {
            let header = try read(16)
            guard let size = DBusMessage.size(ofHeader: header) else {
                throw Failure(.unavailable, "the system bus does not speak D-Bus 1")
            }
            let bytes = header + (try read(size - 16))
            guard let message = DBusMessage(decoding: bytes) else {
                throw Failure(.unavailable, "the system bus sent a message that cannot be read")
            }
            return message
        }

        private borrowing func write(_ bytes: [UInt8]) throws(Failure) {
            let number = socket.raw
            do throws(SystemError) {
                // MSG_NOSIGNAL: a bus that goes away is an error, not the end of this process.
                var rest = bytes[...]
                while !rest.isEmpty {
                    let chunk = Array(rest)
                    rest = rest.dropFirst(try call("send") { ctr_send(number, chunk, chunk.count) })
                }
            } catch {
                throw error.failure("write to the system bus")
            }
        }

        private borrowing func read(_ count: Int) throws(Failure) -> [UInt8] {
            var bytes: [UInt8] = []
            let number = socket.raw
            while bytes.count < count {
                let left = (deadline - monotonicNanoseconds()) / 1_000_000
                var entry = ctr_pollfd(fd: number, events: Int16(POLLIN), revents: 0)
                var chunk = [UInt8](repeating: 0, count: count - bytes.count)
                do throws(SystemError) {
                    let ready = try call("poll") { ctr_poll(&entry, 1, Int32(clamping: max(left, 0))) }
                    guard ready > 0 else { throw SystemError(call: "poll", path: nil, errno: ETIMEDOUT) }
                    let got = try call("read") { ctr_read(number, &chunk, chunk.count) }
                    guard got > 0 else { throw SystemError(call: "read", path: nil, errno: ECONNRESET) }
                    bytes += chunk[..<got]
                } catch {
                    throw error.failure("read from the system bus")
                }
            }
            return bytes
        }
    }
}
