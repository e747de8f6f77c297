import CommandTable
import Engine
import Failure
import LinuxSystem

enum LogsVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let now = Timestamp.now().nanosecondsSinceEpoch
        func time(_ flag: FlagName) throws(Failure) -> Int64? {
            try command.parsed(flag) { (text) throws(Failure) in try PointInTime.nanoseconds(text, now: now) }
        }
        var request = LogRequest()
        request.follow = command.flag(.follow)
        request.tail = try command.parsed(.tail) { (text) throws(Failure) in try LogTail.parse(text) } ?? nil
        request.since = try time(.since)
        request.until = try time(.until)
        request.timestamps = command.flag(.timestamps)
        try engine.logs(try engine.container(command.positionals[0]), request)
        return 0
    }
}
