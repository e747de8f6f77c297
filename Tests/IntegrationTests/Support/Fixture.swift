import Foundation
import Testing

/// A `ctr` with a root of its own, cleaned up last-in-first-out; what it leaves behind is an issue of the test.
final class Fixture {
    /// Everything of this fixture is below it, and its last component is in no other path of the machine.
    let directory: String
    var root: String { directory + "/root" }
    var runRoot: String { directory + "/run" }
    /// HOME: `ctr login` writes there.
    var home: String { directory + "/home" }

    private var cleanups: [() -> Void] = []
    private var identifiers: Set<String> = []
    private var importedBusybox = false

    init() throws {
        let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        directory = "\(base)/ctr-test-\(getpid())-\(UInt64.random(in: 0...UInt64.max))"
        for path in [directory, directory + "/home"] {
            guard mkdir(path, 0o755) == 0 else { throw TestFailure("mkdir \(path): errno \(errno)") }
        }
    }

    var environment: [String: String] {
        [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": home, "TERM": "xterm", "LC_ALL": "C.UTF-8",
        ]
    }

    func words(_ arguments: [String]) -> [String] {
        [Program.ctr, "--root", root, "--run-root", runRoot] + arguments
    }

    // MARK: Running ctr

    /// Runs ctr to its end, whatever that is.
    @discardableResult
    func ctr(
        _ arguments: String..., input: String? = nil, timeout: Double = 60,
        environment extra: [String: String] = [:]
    ) throws -> Outcome {
        try ctr(arguments, input: input.map { Array($0.utf8) }, timeout: timeout, environment: extra)
    }

    @discardableResult
    func ctr(
        _ arguments: [String], input: [UInt8]? = nil, timeout: Double = 60,
        environment extra: [String: String] = [:]
    ) throws -> Outcome {
        let outcome = try ChildProcess(
            words(arguments), input: input, environment: environment.merging(extra) { $1 }
        ).finish(timeout: timeout)
        remember(outcome)
        if outcome.timedOut {
            throw TestFailure("ended or let go of its output too late: \(outcome)")
        }
        return outcome
    }

    /// Runs ctr, which must succeed and say nothing on stderr that begins with `ctr:`; its stdout, trimmed.
    @discardableResult
    func ok(
        _ arguments: String..., input: String? = nil, timeout: Double = 60,
        environment extra: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        try ok(
            arguments, input: input, timeout: timeout, environment: extra, sourceLocation: sourceLocation)
    }

    @discardableResult
    func ok(
        _ arguments: [String], input: String? = nil, timeout: Double = 60,
        environment extra: [String: String] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try ctr(
            arguments, input: input.map { Array($0.utf8) }, timeout: timeout, environment: extra)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        return outcome.text
    }

    @discardableResult
    func ok(_ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let outcome = try ctr(arguments)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        return outcome.text
    }

    /// Runs ctr, which must succeed and have `part` in its stdout.
    func prints(
        _ arguments: String..., including part: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let outcome = try ctr(arguments)
        #expect(
            outcome.code == 0 && outcome.stdout.contains(part), "\"\(part)\" in \(outcome)",
            sourceLocation: sourceLocation)
    }

    /// Runs ctr, which must refuse with this exit code and one clear line that has all of `says` in it.
    @discardableResult
    func refuses(
        _ arguments: String..., code: Int32 = 1, says: [String] = [], input: String? = nil,
        timeout: Double = 60,
        environment extra: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try refuses(
            arguments, code: code, says: says, input: input, timeout: timeout, environment: extra,
            sourceLocation: sourceLocation)
    }

    @discardableResult
    func refuses(
        _ arguments: [String], code: Int32 = 1, says: [String] = [], input: String? = nil,
        timeout: Double = 60,
        environment extra: [String: String] = [:], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try ctr(
            arguments, input: input.map { Array($0.utf8) }, timeout: timeout, environment: extra)
        expectRefusal(outcome, code: code, says: says, sourceLocation: sourceLocation)
        return outcome
    }

    func expectRefusal(
        _ outcome: Outcome, code: Int32, says: [String], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(outcome.code == code, "\(outcome)", sourceLocation: sourceLocation)
        let messages = outcome.stderr.components(separatedBy: "\n").filter { $0.hasPrefix("ctr: ") }
        #expect(
            messages.count == 1, "one line that begins with \"ctr: \": \(outcome)",
            sourceLocation: sourceLocation)
        for word in says {
            #expect(
                outcome.stderr.lowercased().contains(word.lowercased()), "\"\(word)\" in \(outcome)",
                sourceLocation: sourceLocation)
        }
    }

    /// Starts ctr and leaves it running.
    func start(_ arguments: String..., keepInputOpen: Bool = false) throws -> ChildProcess {
        try ChildProcess(words(arguments), keepInputOpen: keepInputOpen, environment: environment)
    }

    func terminal(_ arguments: String..., rows: UInt16 = 24, columns: UInt16 = 80) throws -> TerminalSession {
        try TerminalSession(words(arguments), rows: rows, columns: columns, environment: environment)
    }

    /// Runs another program; its stdout, trimmed.
    @discardableResult
    func tool(
        _ tool: Tool, _ arguments: String..., input: [UInt8]? = nil, timeout: Double = 120,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let path = try #require(
            tool.path, "\(tool.rawValue) is not installed", sourceLocation: sourceLocation)
        let outcome = try ChildProcess([path] + arguments, input: input, environment: environment)
            .finish(timeout: timeout)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        return outcome
    }

    // MARK: What tests ask for

    /// The name of a small image with busybox's applets, imported at the first call.
    @discardableResult
    func busybox() throws -> String {
        let name = "busybox:test"
        if !importedBusybox {
            try ok("import", "-c", #"CMD ["sh"]"#, try file("busybox.tar", Busybox.tar), name)
            importedBusybox = true
        }
        return name
    }

    /// One value of a container's or image's inspection, by a template.
    func inspect(
        _ name: String, _ template: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        try ok("inspect", "--format", template, name, sourceLocation: sourceLocation)
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    @discardableResult
    func file(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws -> String {
        let target = path(name)
        try FileManager.default.createDirectory(
            atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: target))
        chmod(target, mode)
        return target
    }

    @discardableResult
    func file(_ name: String, _ text: String, mode: mode_t = 0o644) throws -> String {
        try file(name, Array(text.utf8), mode: mode)
    }

    func makeDirectory(_ name: String, mode: mode_t = 0o755) throws -> String {
        let target = path(name)
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        chmod(target, mode)
        return target
    }

    func contents(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }

    /// Tries again until it holds; an issue after the time.
    func eventually(
        _ what: String, within seconds: Double = 10, sourceLocation: SourceLocation = #_sourceLocation,
        _ holds: () throws -> Bool
    ) throws {
        let deadline = Date() + seconds
        while Date() < deadline {
            if try holds() { return }
            usleep(30_000)
        }
        try #require(try holds(), "not within \(seconds) s: \(what)", sourceLocation: sourceLocation)
    }

    func onCleanUp(_ body: @escaping () -> Void) { cleanups.append(body) }

    // MARK: The end

    private func remember(_ outcome: Outcome) {
        guard outcome.output.count < 10_000 else { return }
        for line in outcome.lines where line.utf8.count == 64 && line.allSatisfy(\.isHexDigit) {
            identifiers.insert(line)
        }
    }

    /// Removes what is left and tells what must not be there.
    func cleanUp(sourceLocation: SourceLocation) {
        for cleanup in cleanups.reversed() { cleanup() }
        if let left = try? ctr("ps", "-aq", "--no-trunc"), !left.lines.isEmpty {
            remember(left)
            if let removal = try? ctr(["rm", "-f", "-v"] + left.lines), removal.code != 0 {
                Issue.record("the last rm -f failed: \(removal)", sourceLocation: sourceLocation)
            }
        }
        // ctr's own workers (an emptying of the trash, a monitor that ends) may still be on their way out.
        let deadline = Date() + 10
        var leftovers = Leftovers.find(below: directory, containers: identifiers)
        while !leftovers.isEmpty, Date() < deadline {
            usleep(50_000)
            leftovers = Leftovers.find(below: directory, containers: identifiers)
        }
        for leftover in leftovers { Issue.record("left behind: \(leftover)", sourceLocation: sourceLocation) }
        Leftovers.remove(below: directory)
        TestNetwork.removeHostSide(root: root, run: runRoot)
        try? FileManager.default.removeItem(atPath: directory)
    }
}

/// Runs a test in a fixture of its own.
func withFixture(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (Fixture) throws -> Void
) throws {
    let fixture = try Fixture()
    defer { fixture.cleanUp(sourceLocation: sourceLocation) }
    try body(fixture)
}
