import CivilTime
import Failure
import LinuxSystem
import OCI

/// `--log` and `--log-format`: what is written is there for the engine; a person sees it on stderr.
struct RuntimeLog: Sendable {
    /// nil: stderr alone.
    let path: String?
    let isJSON: Bool

    /// With a log stderr is left to the container.
    func warn(_ message: String) {
        guard let path else { return Console.error("ctr-oci: warning: \(message)\n") }
        write("warning", message, to: path)
    }

    func fail(_ failure: Failure) {
        Console.error("ctr-oci: \(failure.message)\n")
        if let hint = failure.hint { Console.error("\(hint)\n") }
        if let path { write("error", failure.message, to: path) }
    }

    /// One line, whatever the message quotes.
    private func escaped(_ message: String) -> String {
        message.reduce(into: "") { text, character in
            switch character {
            case "\"", "\\": text += "\\\(character)"
            case "\n": text += "\\n"
            default: text.append(character)
            }
        }
    }

    private func write(_ level: String, _ message: String, to path: String) {
        let time = CivilTime(secondsSinceEpoch: Timestamp.now().seconds)
        let stamp = "\(time.date)T\(time.clock)Z"
        var line = Array("time=\"\(stamp)\" level=\(level) msg=\"\(escaped(message))\"\n".utf8)
        if isJSON {
            guard let bytes = try? JSON.encode(["level": level, "msg": message, "time": stamp]) else {
                return
            }
            line = bytes + [UInt8(ascii: "\n")]
        }
        let file = try? FileDescriptor.open(path, [.writeOnly, .create, .append], mode: 0o600)
        try? file?.write(line)
    }
}
