import Foundation
import Testing

/// The program of Tests/Probe, which tells what it may do where it runs. It is compiled here, once, by the machine's C
/// compiler: SwiftPM would link Swift's libraries to it, and it must run in an image that has no libc.
enum Probe {
    /// Where it is; nil where no C compiler or static libc is. `CTR_PROBE` names one that is compiled already.
    static let path: String? = {
        if let made = ProcessInfo.processInfo.environment["CTR_PROBE"] { return made }
        guard let compiler = Tool.cc.path else { return nil }
        let program = location
        let sources = ["main.c", "calls.c", "files.c", "process.c"].map {
            "\(Program.repository)/Tests/Probe/\($0)"
        }
        let outcome = try? ChildProcess(
            [compiler, "-std=gnu17", "-O1", "-static", "-o", program] + sources,
            environment: ["PATH": "/usr/bin:/bin", "TMPDIR": (program as NSString).deletingLastPathComponent]
        ).finish()
        guard outcome?.code == 0 else { return nil }
        atexit { unlink(Probe.location) }
        return program
    }()

    private static var location: String {
        (access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()) + "/ctr-probe-\(getpid())"
    }

    /// What the caller of ctr has, for the probe to compare with.
    static let context: String = {
        guard let path, let outcome = try? ChildProcess([path, "context"]).finish() else { return "" }
        return outcome.text
    }()

    /// busybox, the probe, and its context as a file.
    static var image: TarArchive {
        var tar = Busybox.archive
        tar.add(
            "probe", mode: 0o755,
            content: Array(path.flatMap { FileManager.default.contents(atPath: $0) } ?? Data()))
        tar.file("context", context)
        return tar
    }

    static let report = ["/probe", "report", "/context"]
}

extension Trait where Self == ConditionTrait {
    /// Runs only where the probe can be compiled.
    static var needsProbe: Self {
        .enabled(if: Probe.path != nil, "not run: no C compiler, or no static libc, for Tests/Probe")
    }
}

/// A report beside the one that is kept for it in testdata/isolation.
///
/// `run` is whole; the others are what differs from another, which is `run` unless a test says so: lines that begin with
/// `-` and `+`. A line that begins with `~` is of what not every kernel or machine has: it may be missing, but nothing
/// else may be there. Text after `#` is for readers, and is kept when a file is written anew: `CTR_WRITE_REPORTS=1` does
/// that (once more where what others differ from has changed itself).
struct GoldenReport {
    let name: String
    /// What it is told by the differences from.
    var base = "run"
    /// Each group of differences begins with a reason: lines with `#`.
    var wantsReasons = false

    static let directory = Program.repository + "/testdata/isolation"
    private static let writes = ProcessInfo.processInfo.environment["CTR_WRITE_REPORTS"] != nil
    private var path: String { "\(Self.directory)/\(name)" }

    private static func lines(_ name: String) -> [String] {
        ((try? String(contentsOfFile: "\(directory)/\(name)", encoding: .utf8)) ?? "").components(
            separatedBy: "\n")
    }

    private static func apply(_ name: String, to lines: Set<String>) -> Set<String> {
        var lines = lines
        for line in Self.lines(name) {
            if line.hasPrefix("-") { lines.remove(String(line.dropFirst())) }
            if line.hasPrefix("+") { lines.insert(String(line.dropFirst())) }
        }
        return lines
    }

    /// The lines of the report that this one is told from.
    private var from: Set<String> {
        let whole = Set(Self.lines("run").filter { !$0.isEmpty && !$0.hasPrefix("#") })
        return base == "run" ? whole : Self.apply(base, to: whole)
    }

    /// The lines that a report of this name has.
    private var wanted: Set<String> { name == "run" ? from : Self.apply(name, to: from) }

    func expect(_ outcome: Outcome, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        try expect(outcome.stdout, sourceLocation: sourceLocation)
    }

    func expect(_ text: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let report = Set(text.components(separatedBy: "\n").map(Self.onThisMachine).filter { !$0.isEmpty })
        try #require(report.count > 100, "\(text)", sourceLocation: sourceLocation)
        if Self.writes { try write(report) }
        let wanted = wanted
        let missing = wanted.subtracting(report).filter { !$0.hasPrefix("~") }
        let unknown = report.subtracting(wanted)
        let told = (missing.map { "-" + $0 } + unknown.map { "+" + $0 }).sorted().joined(separator: "\n")
        #expect(
            told.isEmpty, "\(name) is not as in testdata/isolation/\(name):\n\(told)",
            sourceLocation: sourceLocation)
        if wantsReasons {
            #expect(groupsWithoutReason == [], "\(name)", sourceLocation: sourceLocation)
        }
    }

    /// Names and numbers of system calls are those of x86_64; other machines' are not compared.
    private static func onThisMachine(_ line: String) -> String {
        #if arch(x86_64)
            return line
        #else
            return line.hasPrefix("call ") || line.hasPrefix("x32 ") ? "" : line
        #endif
    }

    private var groupsWithoutReason: [String] {
        (try? String(contentsOfFile: path, encoding: .utf8))?.components(separatedBy: "\n\n")
            .filter { !$0.hasPrefix("#") || $0.hasPrefix("# reason?") } ?? []
    }

    /// What of a line tells that it is about the same thing.
    private static func subject(_ line: String) -> String {
        line.hasPrefix("~32-bit") ? "~32-bit" : line.components(separatedBy: ": ")[0]
    }

    private func write(_ report: Set<String>) throws {
        // What other machines have stays.
        let seen = Set(report.map(Self.subject))
        let all = report.union(wanted.filter { $0.hasPrefix("~") && !seen.contains(Self.subject($0)) })
        if name == "run" {
            return try (all.sorted().joined(separator: "\n") + "\n").write(
                toFile: path, atomically: true, encoding: .utf8)
        }
        let whole = from
        var changes = Set(whole.subtracting(all).map { "-" + $0 } + all.subtracting(whole).map { "+" + $0 })
        var text: [String] = []
        for line in Self.lines(name) {
            if line.hasPrefix("#") || (line.isEmpty && text.last?.isEmpty == false) {
                text.append(line)
            } else if changes.remove(line) != nil {
                text.append(line)
            }
        }
        while text.last?.isEmpty == true { text.removeLast() }
        if !changes.isEmpty {
            if wantsReasons { text += (text.isEmpty ? [] : [""]) + ["# reason?"] }
            // Both sides of a change beside each other.
            text += changes.sorted { ($0.dropFirst(), $0) < ($1.dropFirst(), $1) }
        }
        try (text.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
    }
}
