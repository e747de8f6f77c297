import Foundation
import Testing

/// A bundle of the OCI runtime with a root file system of its own, a `--root`, and an id that nothing else on the
/// machine has. What a test leaves of it (state, cgroups, mounts, processes) is an issue of the test.
final class RuntimeBundle {
    let fixture: Fixture
    /// The id that calls use where the test does not say another.
    let id: String
    /// In every container's environment: its processes are found by it, wherever they are.
    let mark: String
    var config: BundleConfig
    /// Global flags, before the verb.
    var globals: [String] = []

    var bundle: String { fixture.path("bundle") }
    var rootfs: String { bundle + "/rootfs" }
    var root: String { fixture.path("oci") }

    init(_ fixture: Fixture) throws {
        self.fixture = fixture
        mark = "\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
        id = "oci-\(mark)"
        config = BundleConfig(mark: mark)
        try RootFileSystem.make(at: fixture.makeDirectory("bundle") + "/rootfs")
        // Keeps it as long as the fixture, whatever the test throws.
        fixture.onCleanUp { self.cleanUp() }
    }

    // MARK: Calls

    func words(_ arguments: [String]) -> [String] {
        [Program.ctr, "oci", "--root", root] + globals + arguments
    }

    func oci(
        _ arguments: [String], input: String? = nil, timeout: Double = 20,
        environment: [String: String] = [:]
    ) throws -> Outcome {
        let outcome = try ChildProcess(
            words(arguments), input: input.map { Array($0.utf8) },
            environment: fixture.environment.merging(environment) { $1 }
        ).finish(timeout: timeout)
        if outcome.timedOut { throw TestFailure("ended or let go of its output too late: \(outcome)") }
        return outcome
    }

    func oci(_ arguments: String..., input: String? = nil) throws -> Outcome {
        try oci(arguments, input: input)
    }

    @discardableResult
    func ok(
        _ arguments: String..., input: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try oci(arguments, input: input)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        return outcome.text
    }

    /// The runtime refuses with one line, and a hint at most below it.
    func expectRefusal(
        _ outcome: Outcome, code: Int32 = 1, says: [String], sourceLocation: SourceLocation
    ) {
        #expect(outcome.code == code, "\(outcome)", sourceLocation: sourceLocation)
        let lines = outcome.stderr.split(separator: "\n")
        #expect(
            lines.filter { $0.hasPrefix("ctr-oci: ") }.count == 1 && lines.count <= 2,
            "one line that begins with \"ctr-oci: \": \(outcome)", sourceLocation: sourceLocation)
        for word in says {
            #expect(
                outcome.stderr.lowercased().contains(word.lowercased()), "\"\(word)\" in \(outcome)",
                sourceLocation: sourceLocation)
        }
    }

    @discardableResult
    func refuses(
        _ arguments: String..., says: [String] = [], code: Int32 = 1,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        let outcome = try leaving(arguments)
        expectRefusal(outcome, code: code, says: says, sourceLocation: sourceLocation)
        return outcome
    }

    /// As `refuses` of a create, after which nothing of the container may be there.
    @discardableResult
    func refusesToCreate(
        says: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> Outcome {
        try write()
        let outcome = try leaving(["create", "--bundle", bundle, id])
        expectRefusal(outcome, says: says, sourceLocation: sourceLocation)
        for leftover in leftovers() {
            Issue.record("left behind: \(leftover): \(outcome)", sourceLocation: sourceLocation)
        }
        return outcome
    }

    /// A call whose container lives on with its output: that goes to files.
    func leaving(_ arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
        let script = "exec \"$@\" </dev/null >\(fixture.path("out")) 2>\(fixture.path("err"))"
        let command = words(arguments)
        let outcome = try ChildProcess(
            ["/bin/sh", "-c", script, "sh"] + command,
            environment: fixture.environment.merging(environment) { $1 }
        ).finish(timeout: 20)
        return Outcome(
            command: command, output: Array(output.utf8), errors: Array(errors.utf8), code: outcome.code,
            timedOut: outcome.timedOut)
    }

    /// What the container of the last `leaving` has written.
    var output: String { fixture.contents(fixture.path("out")) }
    var errors: String { fixture.contents(fixture.path("err")) }

    func write() throws { try fixture.file("bundle/config.json", config.bytes) }

    /// Runs a shell's script in the foreground to its end.
    func run(_ script: String, flags: [String] = [], input: String? = nil) throws -> Outcome {
        config["process.args"] = ["sh", "-c", script]
        return try run(flags: flags, input: input)
    }

    func run(flags: [String] = [], input: String? = nil) throws -> Outcome {
        try write()
        return try oci(["run", "--bundle", bundle] + flags + [id], input: input)
    }

    /// As `run`, which must succeed; its output, trimmed.
    func prints(
        _ script: String, flags: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) throws -> String {
        let outcome = try run(script, flags: flags)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        return outcome.text
    }

    func create(_ flags: [String] = [], sourceLocation: SourceLocation = #_sourceLocation) throws {
        try write()
        let outcome = try leaving(["create", "--bundle", bundle] + flags + [id])
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
    }

    func start(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try ok("start", id, sourceLocation: sourceLocation)
    }

    /// A container that runs until it is killed.
    func runSleeping(sourceLocation: SourceLocation = #_sourceLocation) throws {
        config["process.args"] = ["sleep", "300"]
        try write()
        let outcome = try leaving(["run", "-d", "--bundle", bundle, id])
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
    }

    func exec(_ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        let outcome = try oci(["exec"] + [id] + arguments)
        try #require(outcome.code == 0, "\(outcome)", sourceLocation: sourceLocation)
        return outcome.text
    }

    func state(sourceLocation: SourceLocation = #_sourceLocation) throws -> JSONObject {
        try JSONObject(try ok("state", id, sourceLocation: sourceLocation))
    }

    func status(sourceLocation: SourceLocation = #_sourceLocation) throws -> String {
        try state(sourceLocation: sourceLocation).text("status")
    }

    func pid(sourceLocation: SourceLocation = #_sourceLocation) throws -> pid_t {
        pid_t(try state(sourceLocation: sourceLocation).number("pid"))
    }

    func waitForStop(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try fixture.eventually("it stops", sourceLocation: sourceLocation) { try status() == "stopped" }
    }

    func delete(sourceLocation: SourceLocation = #_sourceLocation) throws {
        try ok("delete", "--force", id, sourceLocation: sourceLocation)
    }

    // MARK: The end

    func leftovers() -> [String] {
        let states = ((try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [])
            .filter { !$0.hasPrefix(",") }
        return states.map { "state \($0)" } + processes().map { "process \($0)" }
            + cgroups().map { "cgroup \($0)" }
            + Leftovers.mounts(below: fixture.directory).map { "mount at \($0)" }
    }

    /// Processes with this bundle's mark in their environment that are not on their way out.
    private func processes() -> [pid_t] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { pid_t($0) }
            .filter { pid in
                let text = FileManager.default.contents(atPath: "/proc/\(pid)/environ") ?? Data()
                return text.range(of: Data("CTR_TEST=\(mark)".utf8)) != nil
            }
    }

    /// Cgroups with this bundle's mark in their name, at the top of a hierarchy or two levels below.
    private func cgroups() -> [String] {
        var found: [String] = []
        func look(_ path: String, _ depth: Int) {
            for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
                if name.contains(mark) {
                    found.append("\(path)/\(name)")
                } else if depth > 0, ["ctr", "ctr-test", "libpod_parent"].contains(name) {
                    look("\(path)/\(name)", depth - 1)
                }
            }
        }
        for hierarchy in Cgroups.hierarchies { look(hierarchy, 1) }
        return found
    }

    private func cleanUp() {
        for id in (try? oci("list", "-q"))?.lines ?? [] {
            if let outcome = try? oci("delete", "--force", id), outcome.code != 0 {
                Issue.record("the last delete --force failed: \(outcome)")
            }
        }
        let deadline = Date() + 5
        var left = leftovers()
        while !left.isEmpty, Date() < deadline {
            usleep(10_000)
            left = leftovers()
        }
        for leftover in left { Issue.record("left behind: \(leftover)") }
        for pid in processes() { kill(pid, SIGKILL) }
    }
}

extension RuntimeBundle {
    /// A directory with a tmpfs mounted below it, of the host.
    func tree() throws -> String {
        let source = try fixture.makeDirectory("source")
        let below = try fixture.makeDirectory("source/below")
        try fixture.tool(.mount, "-t", "tmpfs", "below", below)
        fixture.onCleanUp { [fixture] in _ = try? fixture.tool(.umount, below) }
        try fixture.file("source/below/file", "deep\n")
        return source
    }
}

/// Runs a test with a bundle of its own.
func withBundle(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (RuntimeBundle) throws -> Void
) throws {
    try withFixture(sourceLocation: sourceLocation) { fixture in
        let bundle = try RuntimeBundle(fixture)
        try body(bundle)
    }
}

/// A small root file system of busybox's applets.
enum RootFileSystem {
    /// One copy for all, made once: a program that was just written is busy (ETXTBSY) while another thread's child still
    /// has its descriptor.
    private static let program: String = {
        let base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory()
        let copy = "\(base)/ctr-busybox-\(getpid())"
        try? FileManager.default.copyItem(atPath: Tool.busybox.path ?? "", toPath: copy)
        atexit {
            unlink(
                "\(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : NSTemporaryDirectory())/ctr-busybox-\(getpid())"
            )
        }
        return copy
    }()

    static func make(at path: String) throws {
        mkdir(path, 0o755)
        for name in ["bin", "dev", "etc", "proc", "root", "sys", "data", "home"] {
            mkdir("\(path)/\(name)", 0o755)
        }
        mkdir("\(path)/tmp", 0o755)
        chmod("\(path)/tmp", 0o1777)
        try "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home:/bin/sh\n".write(
            toFile: "\(path)/etc/passwd", atomically: false, encoding: .utf8)
        try "root:x:0:\napp:x:1000:\n".write(
            toFile: "\(path)/etc/group", atomically: false, encoding: .utf8)
        guard link(program, "\(path)/bin/busybox") == 0 else {
            throw TestFailure("link \(program): errno \(errno)")
        }
        for applet in Busybox.applets { symlink("busybox", "\(path)/bin/\(applet)") }
    }
}

/// A config.json that is changed by the paths of its fields.
struct BundleConfig {
    private(set) var document: [String: Any]

    init(mark: String) {
        let capabilities = [
            "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_MKNOD", "CAP_NET_BIND_SERVICE",
            "CAP_SETGID", "CAP_SETUID",
        ]
        document = [
            "ociVersion": "1.3.0",
            "root": ["path": "rootfs"] as [String: Any],
            "process": [
                "args": ["sh"], "cwd": "/",
                "env": ["PATH=/bin", "TERM=xterm", "CTR_TEST=\(mark)"],
                "user": ["uid": 0, "gid": 0] as [String: Any],
                "capabilities": [
                    "bounding": capabilities, "effective": capabilities, "permitted": capabilities,
                ],
            ] as [String: Any],
            "mounts": [
                ["destination": "/proc", "type": "proc", "source": "proc"],
                [
                    "destination": "/dev", "type": "tmpfs", "source": "tmpfs",
                    "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
                ] as [String: Any],
                [
                    "destination": "/dev/pts", "type": "devpts", "source": "devpts",
                    "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
                ] as [String: Any],
            ] as [[String: Any]],
            "linux": [
                "namespaces": ["pid", "mount", "ipc", "uts", "network"].map { ["type": $0] }
            ] as [String: Any],
        ]
    }

    var bytes: [UInt8] {
        Array((try? JSONSerialization.data(withJSONObject: document, options: [.sortedKeys])) ?? Data())
    }

    /// A field by its path, as `process.user.uid`; nil removes it.
    subscript(_ path: String) -> Any? {
        get {
            var value: Any? = document
            for name in path.split(separator: ".") { value = (value as? [String: Any])?[String(name)] }
            return value
        }
        set {
            document = BundleConfig.setting(newValue, path.split(separator: ".")[...], in: document)
        }
    }

    private static func setting(_ value: Any?, _ path: ArraySlice<Substring>, in object: [String: Any])
        -> [String: Any]
    {
        var object = object
        guard let first = path.first.map(String.init) else { return object }
        if path.count == 1 {
            object[first] = value
        } else {
            object[first] = setting(value, path.dropFirst(), in: object[first] as? [String: Any] ?? [:])
        }
        return object
    }

    mutating func mount(
        _ destination: String, _ source: String, type: String? = nil, _ options: [String] = [],
        more: [String: Any] = [:]
    ) {
        var mount: [String: Any] = ["destination": destination, "source": source, "options": options]
        if let type { mount["type"] = type }
        self["mounts"] = (self["mounts"] as? [[String: Any]] ?? []) + [mount.merging(more) { $1 }]
    }

    /// A new namespace, or the one at `path`, in the place of what there was of its kind.
    mutating func namespace(_ type: String, path: String? = nil) {
        let others = (self["linux.namespaces"] as? [[String: String]] ?? []).filter { $0["type"] != type }
        self["linux.namespaces"] = others + [path.map { ["type": type, "path": $0] } ?? ["type": type]]
    }

    mutating func removeNamespace(_ type: String) {
        self["linux.namespaces"] = (self["linux.namespaces"] as? [[String: String]] ?? []).filter {
            $0["type"] != type
        }
    }

    /// A user namespace in which 0 is `base` on the host.
    mutating func mapIDs(to base: Int, size: Int = 1000) {
        namespace("user")
        for field in ["uidMappings", "gidMappings"] {
            self["linux.\(field)"] = [["containerID": 0, "hostID": base, "size": size]]
        }
    }

    mutating func environment(_ setting: String) {
        self["process.env"] = (self["process.env"] as? [String] ?? []) + [setting]
    }
}

/// A JSON document, read by the paths of its fields.
struct JSONObject {
    let value: [String: Any]

    init(_ text: String) throws {
        let parsed = try? JSONSerialization.jsonObject(with: Data(text.utf8))
        guard let object = parsed as? [String: Any] else { throw TestFailure("no JSON object: \(text)") }
        value = object
    }

    subscript(_ path: String) -> Any? {
        var found: Any? = value
        for name in path.split(separator: ".") { found = (found as? [String: Any])?[String(name)] }
        return found
    }

    func text(_ path: String) -> String { self[path] as? String ?? "" }
    func number(_ path: String) -> Int { (self[path] as? NSNumber)?.intValue ?? -1 }
    func texts(_ path: String) -> [String] { self[path] as? [String] ?? [] }
    func flag(_ path: String) -> Bool { self[path] as? Bool ?? false }
}
