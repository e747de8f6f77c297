import CommandTable
import Failure
import Testing

/// Nil where the parser refuses.
private func read<Value>(_ body: () throws -> Value) -> Value? { try? body() }

@Suite struct ValueTests {
    @Test(
        arguments: [
            ("0", 0), ("512", 512), ("512b", 512), ("512k", 512 << 10), ("64KB", 64 << 10), ("1KiB", 1024),
            ("256m", 256 << 20),
            ("1.5g", 3 << 29), ("1 GiB", 1 << 30), ("2T", 2 << 40), ("1p", 1 << 50), (".5k", 512),
            ("1.k", 1024),
            ("8191p", 8191 << 50), ("8192p", nil), ("9223372036854775807", Int64.max),
            ("9223372036854775808", nil),
            ("", nil), ("m", nil), ("-1", nil), ("1x", nil), ("1mm", nil), ("1.2.3m", nil), ("0x10", nil),
            (" 1m", nil),
            ("1m ", nil), ("1  m", nil), ("1e3", nil), (".", nil), ("+1", nil), ("١m", nil), ("1ib", nil),
            ("0.00000000000000000000000001g", 0),
        ] as [(String, Int64?)])
    func `sizes are powers of 1024`(_ text: String, _ bytes: Int64?) {
        #expect(read { try ByteSize.parse(text) } == bytes)
    }

    @Test func `minus one is a size only where it means no limit`() {
        #expect(read { try ByteSize.parse("-1", allowingUnlimited: true) } == -1)
        #expect(read { try ByteSize.parse("-2", allowingUnlimited: true) } == nil)
    }

    @Test(
        arguments: [
            ("0.5", 500_000_000), ("2", 2_000_000_000), (".25", 250_000_000), ("0.000000001", 1),
            ("0.0000000010", 1), ("0", 0),
            ("0.0000000001", nil), ("", nil), ("-1", nil), ("1/2", nil), ("1,5", nil), ("9223372037", nil),
            ("NaN", nil),
            ("1.00000000000000000000000000000000000001", nil),
        ] as [(String, Int64?)])
    func `processors are counted in billionths`(_ text: String, _ wanted: Int64?) {
        #expect(read { try CPUCount.nanoCPUs(text) } == wanted)
    }

    @Test(
        arguments: [
            ("1h30m", 5_400_000_000_000), ("1.5s", 1_500_000_000), ("300ms", 300_000_000), ("1us", 1000),
            ("1µs", 1000),
            ("-5m", -300_000_000_000), ("0", 0), ("2h0m1s1ns", 7_201_000_000_001), ("10", nil), ("1d", nil),
            ("", nil), ("-", nil),
            ("h", nil), ("1h m", nil), ("9999999999h", nil), ("1.2.3s", nil),
        ] as [(String, Int64?)])
    func `durations are written as in Go`(_ text: String, _ wanted: Int64?) {
        #expect(read { try TimeSpan.nanoseconds(text) } == wanted)
    }

    @Test func `a number of seconds is a duration where both are meant`() {
        #expect(read { try TimeSpan.nanosecondsOrSeconds("90") } == 90_000_000_000)
        #expect(read { try TimeSpan.nanosecondsOrSeconds("1m30s") } == 90_000_000_000)
        #expect(read { try TimeSpan.nanosecondsOrSeconds("9223372037") } == nil)
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2013-01-02T00:00:00Z", 1_357_084_800_000_000_000),
            ("2000-02-29T12:30:00Z", 951_827_400_000_000_000),
            ("2026-01-31T08:30:00Z", 1_769_848_200_000_000_000),
            ("2026-01-31T08:30:00.5+02:00", 1_769_841_000_500_000_000),
            ("2026-01-31T08:30:00-00:30", 1_769_850_000_000_000_000),
            ("2026-01-31T08:30", 1_769_844_600_000_000_000), ("2026-01-31", 1_769_814_000_000_000_000),
            ("2026-01-31Z", 1_769_817_600_000_000_000), ("1960-01-01T00:00:00Z", -315_619_200_000_000_000),
            ("1769848200", 1_769_848_200_000_000_000), ("1769848200.000000001", 1_769_848_200_000_000_001),
            ("-1", -1_000_000_000),
            ("10m", 1_000_000_000_000 - 600_000_000_000), ("1h", 1_000_000_000_000 - 3_600_000_000_000),
            ("2026-02-29", nil), ("1900-02-29", nil), ("2026-13-01", nil), ("2026-00-01", nil),
            ("2026-01-32", nil),
            ("2026-01-01T24:00:00Z", nil), ("2026-01-01T00:60:00Z", nil), ("2026-1-1", nil),
            ("yesterday", nil), ("", nil),
            ("2026-01-31T08:30:00Zx", nil), ("2026-01-31T08:30:00.Z", nil), ("2026-01-31T", nil),
            ("9999-12-31T00:00:00Z", nil),
            ("2026-01-31T08:30:00+2:00", nil),
        ] as [(String, Int64?)])
    func `points in time`(_ text: String, _ wanted: Int64?) {
        // A time without a zone is one hour east of Greenwich here.
        #expect(
            read { try PointInTime.nanoseconds(text, now: 1_000_000_000_000, zoneOffset: 3600) } == wanted)
    }

    @Test(
        arguments: [
            ("nofile=1024:2048", "nofile", 1024, 2048), ("nproc=512", "nproc", 512, 512),
            ("core=-1", "core", -1, -1),
            ("memlock=5:-1", "memlock", 5, -1),
        ] as [(String, String, Int64, Int64)])
    func `limits of resources`(_ text: String, _ name: String, _ soft: Int64, _ hard: Int64) throws {
        let limit = try Ulimit.parse(text)
        #expect(limit.name == name && limit.soft == soft && limit.hard == hard)
    }

    @Test(arguments: [
        "nofile", "nofile=", "nofile=2048:1024", "nofile=-1:5", "files=1", "NOFILE=1", "nofile=1:2:3",
        "nofile=-2", "nofile=a",
        "nofile=1:", "", "=1", "nofile=99999999999999999999",
    ])
    func `bad limits of resources`(_ text: String) {
        #expect(throws: Failure.self) { try Ulimit.parse(text) }
    }

    @Test(
        arguments: [
            ("TERM", 15), ("SIGTERM", 15), ("sigkill", 9), ("15", 15), ("RTMIN", 34), ("RTMIN+3", 37),
            ("SIGRTMAX-1", 63),
            ("RTMAX", 64), ("SIGRTMIN+15", 49), ("64", 64), ("CLD", 17), ("0", nil), ("65", nil),
            ("RTMIN+31", nil),
            ("RTMIN-1", nil), ("RTMAX+1", nil), ("SIG", nil), ("", nil), ("-9", nil), ("FOO", nil),
            ("SIGSIGTERM", nil),
        ] as [(String, Int32?)])
    func `signals by name and number`(_ text: String, _ wanted: Int32?) {
        #expect(read { try SignalName.parse(text) } == wanted)
    }

    @Test func `every signal's name leads back to it`() throws {
        for number in Int32(1)...64 where number != 32 && number != 33 {
            #expect(try SignalName.parse(SignalName.name(of: number)) == number)
        }
    }

    @Test func `a file of variables by docker's rules`() throws {
        let text = """
            \u{feff}A=1
            # comment
              \t# too

            B=x # kept
              C='quoted "as is"'\r
            D
            E=
            F=a=b
            """
        let settings = try EnvFile.parse(Array(text.utf8), path: "f")
        let resolved = settings.compactMap { $0.resolved { $0 == "D" ? "from outside" : nil } }
        #expect(
            resolved == ["A=1", "B=x # kept", "C='quoted \"as is\"'", "D=from outside", "E=", "F=a=b"])
        #expect(settings[3].resolved { _ in nil } == nil)
    }

    @Test(arguments: [
        ("A=1\n=x", "f: line 2: no variable name before the ="),
        ("A B=1", "f: line 1: a blank in the variable name \"A B\""),
        ("A =1", "f: line 1: a blank in the variable name \"A \""),
        ("ok\u{0}=1", "f: line 1: not UTF-8 text"),
    ])
    func `a bad line is named`(_ text: String, _ message: String) {
        do {
            _ = try EnvFile.parse(Array(text.utf8), path: "f")
            Issue.record("no failure")
        } catch {
            #expect(error.message == message)
        }
        #expect(throws: Failure.self) { try EnvFile.parse([0x41, 0x3d, 0xff], path: "f") }
    }

    @Test func `settings, labels and pairs`() throws {
        #expect(try EnvironmentSetting.parse("A=b=c").value == "b=c")
        #expect(try EnvironmentSetting.parse("A").value == nil)
        #expect(throws: Failure.self) { try EnvironmentSetting.parse("=b") }
        #expect(throws: Failure.self) { try EnvironmentSetting.parse("") }
        #expect(try KeyValue.label("a.b=c=d") == KeyValue(key: "a.b", value: "c=d"))
        #expect(try KeyValue.label("a") == KeyValue(key: "a", value: ""))
        #expect(throws: Failure.self) { try KeyValue.label("=x") }
        #expect(throws: Failure.self) { try KeyValue.pair("a") }
        #expect(try KeyValue.pair("a=").value == "")
        #expect(try KeyValue.labelFile(Array("# x\na=1\nb\n".utf8), path: "f").map(\.key) == ["a", "b"])
    }

    @Test(
        arguments: [
            ("ctrl-p,ctrl-q", [16, 17]), ("a", [97]),
            ("ctrl-@,ctrl-[,ctrl-\\,ctrl-],ctrl-^,ctrl-_", [0, 27, 28, 29, 30, 31]),
            ("ctrl-a,a,b", [1, 97, 98]), ("", []), ("ctrl-", nil), ("ctrl-A", nil), ("ctrl-pq", nil),
            ("ab", nil), ("a,,b", nil),
            ("é", nil), ("ctrl-1", nil),
        ] as [(String, [UInt8]?)])
    func `keys that detach`(_ text: String, _ wanted: [UInt8]?) {
        #expect(read { try DetachKeys.parse(text) } == wanted)
    }

    @Test func `filters know their keys`() throws {
        let filters = Filters([
            try Filter.parse("status=exited", keys: ["status", "label"]),
            try Filter.parse(" Status = dead ", keys: ["status"]),
            try Filter.parse("label=a=b", keys: ["label"]), try Filter.parse("label=c", keys: ["label"]),
        ])
        #expect(filters.values("status") == ["exited", "dead"])
        #expect(filters.passes("status") { $0 == "dead" } && !filters.passes("status") { $0 == "running" })
        #expect(filters.passes("name") { _ in false })
        #expect(filters.passesLabels(["a": "b", "c": ""]) && !filters.passesLabels(["a": "b"]))
        #expect(!filters.passesLabels(["a": "x", "c": ""]))
        #expect(throws: Failure.self) { try Filter.parse("status", keys: ["status"]) }
        #expect(throws: Failure.self) { try Filter.parse("state=x", keys: ["status"]) }
        let dangling = Filters([Filter]([try Filter.parse("dangling=true", keys: ["dangling"])]))
        #expect(try dangling.flag("dangling") == true)
        #expect(try dangling.flag("other") == nil)
        #expect(throws: Failure.self) {
            try Filters([try Filter.parse("dangling=maybe", keys: ["dangling"])]).flag("dangling")
        }
    }

    @Test(
        arguments: [
            ("no", .no), ("", .no), ("always", .always), ("unless-stopped", .unlessStopped),
            ("on-failure", .onFailure(retries: 0)),
            ("on-failure:5", .onFailure(retries: 5)), ("on-failure:", nil), ("on-failure:-1", nil),
            ("on-failure:x", nil),
            ("always:5", nil), ("never", nil), ("on-failure:4294967296", nil),
        ] as [(String, RestartPolicy?)])
    func `restart policies`(_ text: String, _ wanted: RestartPolicy?) {
        #expect(read { try RestartPolicy.parse(text) } == wanted)
        if let wanted, !text.isEmpty { #expect(wanted.description == text) }
    }

    @Test(
        arguments: [
            ("/dev/fuse", ["/dev/fuse", "/dev/fuse", "rwm"]), ("/dev/a:/dev/b", ["/dev/a", "/dev/b", "rwm"]),
            ("/dev/a:rw", ["/dev/a", "/dev/a", "rw"]), ("/dev/a:/dev/b:r", ["/dev/a", "/dev/b", "r"]),
            ("dev/a", nil), ("/dev/a:", nil),
            ("/dev/a:b", nil), ("/dev/a:/b:rx", nil), ("/dev/a:/b:rr", nil), ("/dev/a:/b:", nil), ("", nil),
            ("/dev/a:/b:r:w", nil),
            ("/", nil), ("/dev/a:/", nil),
        ] as [(String, [String]?)])
    func devices(_ text: String, _ wanted: [String]?) {
        #expect(
            read { try DeviceRequest.parse(text) }.map { [$0.hostPath, $0.containerPath, $0.access] }
                == wanted)
    }

    @Test(
        arguments: [
            ("db:10.0.0.1", "10.0.0.1"), ("db=10.0.0.1", "10.0.0.1"), ("db:::1", "::1"),
            ("db=[fe80::1]", "fe80::1"),
            ("db:1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("db=::ffff:1.2.3.4", "::ffff:1.2.3.4"),
            ("db=::", "::"), ("host:host-gateway", "host-gateway"), ("host=host-gateway", "host-gateway"),
            ("db:gateway", nil),
            ("db:1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:1.2.3.4"), ("db=1::", "1::"), ("db", nil), ("db:", nil),
            (":1.2.3.4", nil),
            ("db:1.2.3", nil), ("db:1.2.3.256", nil), ("db:01.2.3.4", nil), ("db=1:2:3:4:5:6:7:8:9", nil),
            ("db=1::2::3", nil),
            ("db=:1", nil), ("db=12345::", nil), ("db=1.2.3.4::", nil), ("a b:1.2.3.4", nil),
            ("a\nb:1.2.3.4", nil),
            ("db=1:2:3:4:5:6:7::8", nil),
        ] as [(String, String?)])
    func `lines of the hosts file`(_ text: String, _ address: String?) {
        #expect(read { try ExtraHost.parse(text) }?.address == address)
    }

    @Test func `tails`() throws {
        #expect(try LogTail.parse("all") == nil)
        #expect(try LogTail.parse("10") == 10)
        #expect(try LogTail.parse("0") == 0)
        #expect(try LogTail.parse("-1") == nil)
        #expect(throws: Failure.self) { try LogTail.parse("some") }
    }
}
