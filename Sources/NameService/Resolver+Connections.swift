internal import Failure
internal import LinuxSystem

/// An asker that came over TCP: several questions one after the other, answered as their answers come (RFC 7766, 6.2.1.1).
final class AskerConnection {
    let token: UInt64
    let socket: SharedFileDescriptor
    var received: ArraySlice<UInt8> = []
    var unsent: ArraySlice<UInt8> = []
    /// Questions that are upstream.
    var waiting = 0
    /// When it is closed if nothing is asked on it.
    var deadline: Int64
    /// It asks no more, and hears what is on its way.
    var isEnding = false
    /// Its messages are being taken: an answer to one of them does not begin that anew.
    var isTaking = false
    var interest: EventQueue.Interest = .read

    init(_ token: UInt64, _ socket: SharedFileDescriptor) {
        self.token = token
        self.socket = socket
        deadline = monotonicNanoseconds() + Resolver.Limit.idle
    }
}

extension Resolver {
    func acceptConnections(_ listener: Int32) {
        while let accepted = accept(listener) {
            if connections.count >= Limit.connections {
                // RFC 7766, section 6.2.3: one that asks nothing may be closed at any time.
                guard
                    let idle = connections.values.filter({ $0.waiting == 0 && $0.unsent.isEmpty })
                        .min(by: { $0.deadline < $1.deadline })
                else { continue }
                close(idle)
            }
            let connection = AskerConnection(nextToken(), accepted)
            guard (try? queue.add(accepted.raw, .read, token: connection.token)) != nil else { continue }
            connections[connection.token] = connection
        }
    }

    private func accept(_ listener: Int32) -> SharedFileDescriptor? {
        FileDescriptor.withBorrowed(listener) { listener in
            guard let socket = try? UnixSocket.accept(listener) else { return nil }
            return SharedFileDescriptor(socket)
        }
    }

    func close(_ connection: AskerConnection) {
        try? queue.remove(connection.socket.raw)
        connections[connection.token] = nil
    }

    func serve(_ connection: AskerConnection, _ ready: EventQueue.Interest) {
        if !ready.isDisjoint(with: [.error, .hangUp]) { return close(connection) }
        if ready.contains(.write) { flush(connection) }
        if ready.contains(.read) { read(connection) }
        settle(connection)
    }

    private func read(_ connection: AskerConnection) {
        do throws(SystemError) {
            // Once: the rest waits for the next turn, so that one asker does not keep the others waiting.
            guard let bytes = try InternetSocket.receive(from: connection.socket.raw) else { return }
            if bytes.isEmpty { connection.isEnding = true }
            connection.received += bytes
            takeMessages(of: connection)
        } catch {
            close(connection)
        }
    }

    /// As many as may wait at once.
    private func takeMessages(of connection: AskerConnection) {
        guard !connection.isTaking else { return }
        connection.isTaking = true
        defer { connection.isTaking = false }
        while connection.waiting < Limit.questionsOfOneConnection,
            let message = connection.received.takeMessage()
        {
            connection.deadline = monotonicNanoseconds() + Limit.idle
            take(message, from: .connection(connection.token))
        }
        if connection.received.isEmpty { connection.received = [] }
    }

    func queueReply(_ message: [UInt8], on connection: AskerConnection) {
        connection.unsent += message.withLength
        connection.deadline = monotonicNanoseconds() + Limit.idle
        flush(connection)
        takeMessages(of: connection)
        settle(connection)
    }

    private func flush(_ connection: AskerConnection) {
        do throws(SystemError) {
            while !connection.unsent.isEmpty {
                let sent = try InternetSocket.send(connection.unsent, over: connection.socket.raw)
                if sent == 0 { break }
                connection.unsent = connection.unsent.dropFirst(sent)
            }
            if connection.unsent.isEmpty { connection.unsent = [] }
            if connection.unsent.count > Limit.unsentBytes { close(connection) }
        } catch {
            close(connection)
        }
    }

    /// Watches for what it can do next, or closes it.
    private func settle(_ connection: AskerConnection) {
        guard connections[connection.token] === connection else { return }
        if connection.isEnding, connection.waiting == 0, connection.unsent.isEmpty {
            return close(connection)
        }
        var interest: EventQueue.Interest = []
        if !connection.isEnding, connection.waiting < Limit.questionsOfOneConnection {
            interest.insert(.read)
        }
        if !connection.unsent.isEmpty { interest.insert(.write) }
        guard interest != connection.interest else { return }
        connection.interest = interest
        do throws(SystemError) {
            try queue.change(connection.socket.raw, interest, token: connection.token)
        } catch {
            close(connection)
        }
    }
}
