import Failure
import Foundation
import Testing

@testable import LinuxSystem

@Suite struct SystemdScopeTests {
    private let calls = SystemdScope.calls(
        name: "ctr-c1.scope", slice: "system.slice", description: "ctr container c1", pid: 4711)

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }

    /// The body as systemd's own busctl writes it for the same call.
    @Test func bodyIsAsBusctlWritesIt() {
        let golden = bytes(
            """
            0c0000006374722d63312e73636f706500000000040000006661696c00000000d0000000000000000b00000044657363\
            72697074696f6e00017300001000000063747220636f6e7461696e6572206331000000000000000005000000536c6963\
            65000173000000000c00000073797374656d2e736c69636500000000000000000400000050494473000261750000000004\
            000000671200000800000044656c65676174650001620001000000000000000b000000436f6c6c6563744d6f64650001\
            73000012000000696e6163746976652d6f722d6661696c6564000000000000080000005461736b734d61780001740\
            0ffffffffffffffff0000000000000000
            """)
        #expect(Array(calls[3].encoded().suffix(golden.count)) == golden)
    }

    @Test func headerOfHello() {
        // Written out by the specification: fixed part, then path, interface, member and destination, each from an
        // eight-byte boundary.
        var wanted = bytes("6c01000100000000010000006e000000")
        wanted += bytes("01016f00" + "15000000") + Array("/org/freedesktop/DBus".utf8) + [0, 0, 0]
        wanted += bytes("02017300" + "14000000") + Array("org.freedesktop.DBus".utf8) + [0, 0, 0, 0]
        wanted += bytes("03017300" + "05000000") + Array("Hello".utf8) + [0, 0, 0]
        wanted += bytes("06017300" + "14000000") + Array("org.freedesktop.DBus".utf8) + [0, 0, 0, 0]
        // The length counts to the last field's end, without the padding before the body.
        wanted[12] = UInt8(wanted.count - 16 - 3)
        #expect(calls[0].encoded() == wanted)
    }

    @Test func messagesAreReadBack() throws {
        for call in calls.prefix(3) { #expect(DBusMessage(decoding: call.encoded()) == call) }
        let start = try #require(DBusMessage(decoding: calls[3].encoded()))
        #expect(start.member == "StartTransientUnit")
        #expect(
            start.body == [.string("ctr-c1.scope"), .string("fail")], "the rest is of types that are not read"
        )
    }

    @Test func tornAndHostileBytesAreNoMessages() {
        let whole = calls[1].encoded()
        for size in 0..<whole.count { #expect(DBusMessage(decoding: Array(whole.prefix(size))) == nil) }
        for at in whole.indices {
            for value in [UInt8(0), 0x7f, 0xff] {
                var bytes = whole
                bytes[at] = value
                _ = DBusMessage(decoding: bytes)
            }
        }
        var big = whole
        big[4...7] = [0xff, 0xff, 0xff, 0x7f]
        #expect(DBusMessage.size(ofHeader: Array(big.prefix(16))) == nil)
    }

    private static func accept(_ listener: borrowing FileDescriptor) -> FileDescriptor? {
        for _ in 0..<2000 {
            if let peer = (try? UnixSocket.accept(listener)) ?? nil {
                try? peer.setNonBlocking(false)
                return peer
            }
            usleep(1000)
        }
        return nil
    }

    /// A bus of our own on a socket: answers as the script says, after the calls have come.
    private func scope(answers: [DBusMessage], greeting: String = "OK 0123\r\n") async throws -> Failure? {
        let directory = "/dev/shm/ctr-bus-\(randomHex(bytes: 6))"
        try Directory.make(directory)
        defer { try? Directory.removeTree(directory) }
        let opened = try Directory.open(directory)
        let listener = try UnixSocket.listen("bus", in: opened.raw, .stream)
        let number = listener.release()
        let replies = answers.map { $0.encoded() }
        let thread = Thread {
            let listener = FileDescriptor(owning: number)
            guard let accepted = SystemdScopeTests.accept(listener) else { return }
            let peer = SharedFileDescriptor(accepted)
            var got: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 4096)
            let more = {
                let n = read(peer.raw, &chunk, chunk.count)
                if n > 0 { got += chunk[..<n] }
                return n > 0
            }
            let send = { (bytes: [UInt8]) in _ = write(peer.raw, bytes, bytes.count) }
            while !got.contains(UInt8(ascii: "\n")), more() {}
            send(Array(greeting.utf8))
            while !String(decoding: got, as: UTF8.self).contains("StartTransientUnit"), more() {}
            for reply in replies { send(reply) }
        }
        thread.start()
        do throws(Failure) {
            try SystemdScope.start(
                name: "ctr-c1.scope", slice: "system.slice", description: "ctr container c1", pid: 4711,
                bus: "\(directory)/bus")
            return nil
        } catch {
            return error
        }
    }

    private func reply(_ serial: UInt32, _ body: [DBusMessage.Value] = []) -> DBusMessage {
        var message = DBusMessage(
            serial: 90 + serial, destination: ":1.7", path: "/", interface: "i", member: "m", body)
        message.kind = .methodReturn
        message.replySerial = serial
        return message
    }

    private func removed(_ job: String, _ result: String) -> DBusMessage {
        var message = DBusMessage(
            serial: 80, destination: ":1.7", path: "/org/freedesktop/systemd1",
            interface: "org.freedesktop.systemd1.Manager", member: "JobRemoved",
            [.uint32(7), .objectPath(job), .string("ctr-c1.scope"), .string(result)])
        message.kind = .signal
        return message
    }

    @Test func waitsForItsOwnJob() async throws {
        let answers = [
            reply(1, [.string(":1.7")]), reply(2), reply(3), removed("/job/6", "failed"),
            reply(4, [.objectPath("/job/7")]), removed("/job/7", "done"),
        ]
        #expect(try await scope(answers: answers)?.message == nil)
        // The signal may come first.
        #expect(
            try await scope(answers: [removed("/job/7", "done"), reply(4, [.objectPath("/job/7")])])?.message
                == nil)
    }

    @Test func failuresAreTold() async throws {
        let failed = try await scope(answers: [
            reply(4, [.objectPath("/job/7")]), removed("/job/7", "failed"),
        ])
        #expect(
            failed?.message == "start the systemd scope ctr-c1.scope: systemd's job ended with \"failed\"")
        var exists = reply(4, [.string("Unit ctr-c1.scope already exists.")])
        exists.kind = .error
        exists.errorName = "org.freedesktop.systemd1.UnitExists"
        let refused = try await scope(answers: [exists])
        #expect(refused?.code == .alreadyExists)
        #expect(
            refused?.message
                == "start the systemd scope ctr-c1.scope: StartTransientUnit: Unit ctr-c1.scope already exists."
        )
        #expect(try await scope(answers: [], greeting: "REJECTED EXTERNAL\r\n")?.code == .permissionDenied)
        #expect(try await scope(answers: [])?.message.contains("read from the system bus") == true)
    }
}
