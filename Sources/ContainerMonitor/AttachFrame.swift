internal import LinuxSystem

/// One message between a monitor and an attached client, on a stream socket in both directions:
///
/// ```
///  byte 0     1..3       4..7               8…
///  kind       0          length (LE)        payload
///
///  client → monitor                         monitor → client
///  hello      version u32, rows u16,        started    pid i32
///             columns u16                   stdout     bytes (a terminal's output too)
///  stdin      bytes                         stderr     bytes
///  stdinEnd   -                             failed     exit code i32, failure code, NUL, message
///  resize     rows u16, columns u16         exited     exit code i32
///  signal     number i32                    checked    exit code i32, status
///  check      -                             made       pid i32
///  attached   -
/// ```
///
/// The launch socket carries the plan first (`PlanTransport`), then the same frames. A client says hello, then sends what
/// it likes. Before that, of a container with networks: `made` says that its namespaces are there, and who launches answers
/// `attached`, or `failed`. `check` runs the health check now and is answered by `checked`. `exited` and `failed` are the last frames; everything that the container wrote came before.
package enum AttachFrame: Sendable, Equatable {
    package static let version: UInt32 = 1
    /// Longer frames are a broken peer.
    package static let mostBytes = 64 << 10

    case hello(version: UInt32, rows: UInt16, columns: UInt16)
    case stdin([UInt8])
    case stdinEnd
    case resize(rows: UInt16, columns: UInt16)
    case signal(Int32)
    case started(pid: Int32)
    case stdout([UInt8])
    case stderr([UInt8])
    case failed(exitCode: Int32, code: String, message: String)
    case exited(Int32)
    case check
    case checked(exitCode: Int32, status: String)
    case made(pid: Int32)
    case attached

    private enum Kind: UInt8 {
        case hello = 1, stdin, stdinEnd, resize, signal, check, attached
        case started = 16, stdout, stderr, failed, exited, checked, made
    }

    package var bytes: [UInt8] {
        var payload: [UInt8] = []
        let kind: Kind
        switch self {
        case .hello(let version, let rows, let columns):
            kind = .hello
            payload.append(littleEndian: version)
            payload.append(littleEndian: rows)
            payload.append(littleEndian: columns)
        case .stdin(let bytes): (kind, payload) = (.stdin, bytes)
        case .stdinEnd: kind = .stdinEnd
        case .resize(let rows, let columns):
            kind = .resize
            payload.append(littleEndian: rows)
            payload.append(littleEndian: columns)
        case .signal(let number):
            kind = .signal
            payload.append(littleEndian: UInt32(bitPattern: number))
        case .started(let pid):
            kind = .started
            payload.append(littleEndian: UInt32(bitPattern: pid))
        case .stdout(let bytes): (kind, payload) = (.stdout, bytes)
        case .stderr(let bytes): (kind, payload) = (.stderr, bytes)
        case .failed(let exitCode, let code, let message):
            kind = .failed
            payload.append(littleEndian: UInt32(bitPattern: exitCode))
            payload += Array(code.utf8) + [0] + Array(message.utf8.prefix(AttachFrame.mostBytes / 2))
        case .exited(let code):
            kind = .exited
            payload.append(littleEndian: UInt32(bitPattern: code))
        case .check: kind = .check
        case .checked(let exitCode, let status):
            kind = .checked
            payload.append(littleEndian: UInt32(bitPattern: exitCode))
            payload += Array(status.utf8)
        case .made(let pid):
            kind = .made
            payload.append(littleEndian: UInt32(bitPattern: pid))
        case .attached: kind = .attached
        }
        var bytes: [UInt8] = [kind.rawValue, 0, 0, 0]
        bytes.append(littleEndian: UInt32(payload.count))
        return bytes + payload
    }

    /// nil where kind or payload make no sense.
    fileprivate init?(kind: UInt8, payload: ArraySlice<UInt8>) {
        func word(_ offset: Int) -> UInt32? { payload.littleEndian(at: offset) }
        func half(_ offset: Int) -> UInt16? { payload.littleEndian(at: offset) }
        switch Kind(rawValue: kind) {
        case .hello:
            guard let version = word(0), let rows = half(4), let columns = half(6) else { return nil }
            self = .hello(version: version, rows: rows, columns: columns)
        case .stdin: self = .stdin(Array(payload))
        case .stdinEnd: self = .stdinEnd
        case .resize:
            guard let rows = half(0), let columns = half(2) else { return nil }
            self = .resize(rows: rows, columns: columns)
        case .signal:
            guard let number = word(0) else { return nil }
            self = .signal(Int32(bitPattern: number))
        case .started:
            guard let pid = word(0) else { return nil }
            self = .started(pid: Int32(bitPattern: pid))
        case .stdout: self = .stdout(Array(payload))
        case .stderr: self = .stderr(Array(payload))
        case .failed:
            guard let exitCode = word(0) else { return nil }
            let rest = payload.dropFirst(4)
            let code = rest.prefix { $0 != 0 }
            self = .failed(
                exitCode: Int32(bitPattern: exitCode), code: String(decoding: code, as: UTF8.self),
                message: String(decoding: rest.dropFirst(code.count + 1), as: UTF8.self))
        case .exited:
            guard let code = word(0) else { return nil }
            self = .exited(Int32(bitPattern: code))
        case .check: self = .check
        case .checked:
            guard let exitCode = word(0) else { return nil }
            self = .checked(
                exitCode: Int32(bitPattern: exitCode),
                status: String(decoding: payload.dropFirst(4), as: UTF8.self))
        case .made:
            guard let pid = word(0) else { return nil }
            self = .made(pid: Int32(bitPattern: pid))
        case .attached: self = .attached
        case nil: return nil
        }
    }
}

/// Puts frames together from what a socket gives.
package struct AttachFrameReader: Sendable {
    private var buffer: [UInt8] = []

    package init() {}

    package struct BrokenPeer: Error {}

    package mutating func append(_ bytes: UnsafeRawBufferPointer) { buffer.append(contentsOf: bytes) }

    /// nil until a whole frame is there.
    package mutating func next() throws(BrokenPeer) -> AttachFrame? {
        guard buffer.count >= 8, let length: UInt32 = buffer[...].littleEndian(at: 4) else { return nil }
        guard length <= UInt32(AttachFrame.mostBytes) else { throw BrokenPeer() }
        let end = 8 + Int(length)
        guard buffer.count >= end else { return nil }
        guard let frame = AttachFrame(kind: buffer[0], payload: buffer[8..<end]) else { throw BrokenPeer() }
        buffer.removeFirst(end)
        return frame
    }
}
