import CivilTime
import CommandTable
import Engine
import Failure
import LinuxSystem

/// `ctr top CONTAINER [ps OPTIONS]`
enum TopVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let columns = try TopColumn.chosen(by: Array(command.positionals.dropFirst()))
        let listing = try engine.processes(of: try engine.container(command.positionals[0]))
        var table = TextTable(header: columns.map(\.title))
        for process in listing.processes {
            table.append(columns.map { visible($0.text(process, listing)) })
        }
        Console.out(table.text)
        return 0
    }

    /// A process names itself as it likes: what would move a terminal's cursor is shown as `?`, as ps does.
    private static func visible(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar.properties.generalCategory == .control ? "?" : scalar
                }))
    }
}

/// A column of `top`. Names are those of ps and of podman's descriptors.
struct TopColumn: Sendable {
    let name: String
    let title: String
    let text: @Sendable (ProcessEntry, ProcessListing) -> String

    /// docker's default, `ps -ef`.
    private static let full = [
        TopColumn(name: "uid", title: "UID") { $1.hostUser($0) },
        TopColumn(name: "pid", title: "PID") { process, _ in String(process.pid) },
        TopColumn(name: "ppid", title: "PPID") { process, _ in String(process.ppid) },
        TopColumn(name: "c", title: "C") { String(ProcessTime.share($0, $1.clock) / 10) },
        named("stime"), named("tty"), named("time"),
        TopColumn(name: "cmd", title: "CMD") { process, _ in process.command },
    ]

    /// `ps aux`
    private static let user = [
        TopColumn(name: "user", title: "USER") { $1.hostUser($0) },
        TopColumn(name: "pid", title: "PID") { process, _ in String(process.pid) },
        named("pcpu"), named("pmem"), named("vsz"), named("rss"), named("tty"), named("stat"),
        TopColumn(name: "start", title: "START") { ProcessTime.start($0, $1.clock) },
        TopColumn(name: "time", title: "TIME") { process, _ in ProcessTime.minutes(process) },
        TopColumn(name: "args", title: "COMMAND") { process, _ in process.command },
    ]

    /// By podman's and ps's names, with the container's own numbers.
    private static let all: [TopColumn] = [
        TopColumn(name: "args", title: "COMMAND") { process, _ in process.command },
        TopColumn(name: "comm", title: "COMMAND") { process, _ in process.name },
        TopColumn(name: "etime", title: "ELAPSED") { ProcessTime.elapsed($0, $1.clock) },
        TopColumn(name: "gid", title: "GID") { String($1.gidInside($0.gid)) },
        TopColumn(name: "group", title: "GROUP") { $1.group($0) },
        TopColumn(name: "hgroup", title: "HGROUP") { $1.hostGroup($0) },
        TopColumn(name: "hpid", title: "HPID") { process, _ in String(process.pid) },
        TopColumn(name: "huser", title: "HUSER") { $1.hostUser($0) },
        TopColumn(name: "nice", title: "NI") { process, _ in String(process.nice) },
        TopColumn(name: "nlwp", title: "NLWP") { process, _ in String(process.threads) },
        TopColumn(name: "pcpu", title: "%CPU") { ProcessTime.tenths(ProcessTime.share($0, $1.clock)) },
        TopColumn(name: "pgid", title: "PGID") { process, _ in String(process.pgid) },
        TopColumn(name: "pid", title: "PID") { process, _ in String(process.pidInside) },
        TopColumn(name: "pmem", title: "%MEM") { process, listing in
            let total = listing.clock.totalMemory
            return ProcessTime.tenths(total == 0 ? 0 : process.residentSize * 1000 / total)
        },
        TopColumn(name: "ppid", title: "PPID") { String($1.ppidInside($0)) },
        TopColumn(name: "rss", title: "RSS") { process, _ in String(process.residentSize >> 10) },
        TopColumn(name: "stat", title: "STAT") { process, _ in process.status },
        TopColumn(name: "state", title: "STATE") { process, _ in process.state },
        TopColumn(name: "stime", title: "STIME") { ProcessTime.start($0, $1.clock) },
        TopColumn(name: "time", title: "TIME") { process, _ in ProcessTime.hours(process) },
        TopColumn(name: "tty", title: "TTY") { process, _ in process.terminalName },
        TopColumn(name: "uid", title: "UID") { String($1.uidInside($0.uid)) },
        TopColumn(name: "user", title: "USER") { $1.user($0) },
        TopColumn(name: "vsz", title: "VSZ") { process, _ in String(process.virtualSize >> 10) },
    ]

    private static let others = [
        "cmd": "args", "command": "args", "ucmd": "comm", "ni": "nice", "%cpu": "pcpu", "%mem": "pmem",
        "tname": "tty", "tt": "tty", "rssize": "rss", "vsize": "vsz", "s": "state", "start": "stime",
        "pgrp": "pgid", "thcount": "nlwp", "euser": "user", "euid": "uid", "egroup": "group", "egid": "gid",
    ]

    /// With the host's numbers, for `-o`.
    private static let onHost: [String: @Sendable (ProcessEntry, ProcessListing) -> String] = [
        "pid": { process, _ in String(process.pid) }, "ppid": { process, _ in String(process.ppid) },
        "uid": { process, _ in String(process.uid) }, "gid": { process, _ in String(process.gid) },
        "user": { $1.hostUser($0) }, "group": { $1.hostGroup($0) },
    ]

    private static func named(_ name: String) -> TopColumn {
        all.first { $0.name == name } ?? TopColumn(name: name, title: name.uppercased()) { _, _ in "" }
    }

    static func chosen(by words: [String]) throws(Failure) -> [TopColumn] {
        guard let first = words.first else { return full }
        if words.count == 1 {
            if ["-ef", "-e", "-f", "ef"].contains(first) { return full }
            if ["aux", "-aux", "u", "-u"].contains(first) { return user }
        }
        if words.contains(where: { $0.hasPrefix("-") }) || first == "o" || first.hasPrefix("-") {
            return try options(words)
        }
        var columns: [TopColumn] = []
        for word in words.flatMap({ $0.split(separator: ",") }) { columns.append(try column(String(word))) }
        return columns
    }

    /// `-eo pid,comm`, `-o pid -o comm`, `-opid,comm`
    private static func options(_ words: [String]) throws(Failure) -> [TopColumn] {
        var columns: [TopColumn] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            let letters = word.drop { $0 == "-" }
            guard let place = letters.firstIndex(of: "o"),
                letters[..<place].allSatisfy({ "Aaefwx".contains($0) })
            else {
                guard letters.allSatisfy({ "Aaefwx".contains($0) }), !letters.isEmpty else {
                    throw Failure(
                        .invalidArgument, "top: \(word): not one of -ef, aux and -o COLUMN,...",
                        hint: "the columns are \(list)")
                }
                continue
            }
            var names = String(letters[letters.index(after: place)...])
            if names.isEmpty { names = rest.popFirst() ?? "" }
            guard !names.isEmpty else {
                throw Failure(.invalidArgument, "top: -o needs columns", hint: "they are \(list)")
            }
            for name in names.split(separator: ",") {
                let column = try column(String(name))
                columns.append(
                    TopColumn(
                        name: column.name, title: column.title, text: onHost[column.name] ?? column.text))
            }
        }
        return columns.isEmpty ? full : columns
    }

    private static func column(_ word: String) throws(Failure) -> TopColumn {
        let name = word.lowercased()
        guard let found = all.first(where: { $0.name == others[name] ?? name }) else {
            throw Failure(
                .invalidArgument, "top: there is no column \(word)", hint: "the columns are \(list)")
        }
        return found
    }

    private static var list: String { all.map(\.name).joined(separator: ", ") }
}

extension ProcessEntry {
    fileprivate var command: String { arguments.isEmpty ? "[\(name)]" : arguments.joined(separator: " ") }

    fileprivate var residentSize: UInt64 { residentPages * 4096 }

    /// ps's STAT: the state, `<` or `N` by niceness, `s` for a session's leader, `l` with threads.
    fileprivate var status: String {
        state + (nice < 0 ? "<" : nice > 0 ? "N" : "") + (isSessionLeader ? "s" : "")
            + (threads > 1 ? "l" : "")
    }

    /// `pts/0`, `tty1`, or `?`
    fileprivate var terminalName: String {
        let major = (terminal >> 8) & 0xfff
        let minor = (terminal & 0xff) | ((terminal >> 12) & 0xfff00)
        if (136...143).contains(major) { return "pts/\((major - 136) * 256 + minor)" }
        if major == 4 { return minor < 64 ? "tty\(minor)" : "ttyS\(minor - 64)" }
        return "?"
    }
}

/// Times of a process as ps prints them.
private enum ProcessTime {
    static func seconds(_ process: ProcessEntry) -> UInt64 {
        (process.userTicks + process.systemTicks) / ProcessClock.ticksPerSecond
    }

    static func age(_ process: ProcessEntry, _ clock: ProcessClock) -> UInt64 {
        clock.uptimeTicks > process.startTicks ? clock.uptimeTicks - process.startTicks : 0
    }

    /// Of one processor over the process's life, in thousandths.
    static func share(_ process: ProcessEntry, _ clock: ProcessClock) -> UInt64 {
        let age = age(process, clock)
        return age == 0 ? 0 : (process.userTicks + process.systemTicks) * 1000 / age
    }

    static func tenths(_ thousandths: UInt64) -> String { "\(thousandths / 10).\(thousandths % 10)" }

    /// `00:01:07`, with days before where there are any.
    static func hours(_ process: ProcessEntry) -> String {
        let seconds = seconds(process)
        let days = seconds / 86400
        return (days > 0 ? "\(days)-" : "") + two(seconds / 3600 % 24) + ":" + two(seconds / 60 % 60) + ":"
            + two(seconds % 60)
    }

    /// `1:07`
    static func minutes(_ process: ProcessEntry) -> String {
        let seconds = seconds(process)
        return "\(seconds / 60):\(two(seconds % 60))"
    }

    /// `[[DD-]HH:]MM:SS`
    static func elapsed(_ process: ProcessEntry, _ clock: ProcessClock) -> String {
        let seconds = age(process, clock) / ProcessClock.ticksPerSecond
        let days = seconds / 86400
        let hours = seconds / 3600 % 24
        return (days > 0 ? "\(days)-" : "") + (days > 0 || hours > 0 ? two(hours) + ":" : "")
            + two(seconds / 60 % 60) + ":" + two(seconds % 60)
    }

    /// `08:30` of today, `Nov21` of this year, else the year.
    static func start(_ process: ProcessEntry, _ clock: ProcessClock) -> String {
        let then = clock.bootTime + Int64(process.startTicks / ProcessClock.ticksPerSecond)
        let started = CivilTime(secondsSinceEpoch: then)
        let now = CivilTime(secondsSinceEpoch: clock.now)
        if started.date == now.date { return String(started.clock.prefix(5)) }
        guard started.year == now.year else { return String(started.year) }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return months[Int(started.month) - 1] + two(UInt64(started.day))
    }

    private static func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : String(number) }
}
