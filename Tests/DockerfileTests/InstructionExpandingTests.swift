import Dockerfile
import Testing

@Suite struct InstructionExpandingTests {
    static let expansion = Expansion(variables: ["x": "1", "ports": "80 443/udp", "dir": "/d"])

    static func instruction(_ kind: Instruction.Kind) -> Instruction {
        Instruction(range: SourceRange(3), text: "", writtenKeyword: "X", kind: kind)
    }

    static func expanded(_ kind: Instruction.Kind) throws -> Instruction.Kind {
        try instruction(kind).expanding(expansion).instruction.kind
    }

    @Test(arguments: [
        (Instruction.Kind.user("\"$x\":$x"), Instruction.Kind.user("1:1")),
        (.workdir("$dir/'a b'"), .workdir("/d/a b")),
        (.stopsignal("SIG${x}"), .stopsignal("SIG1")),
        (.volume(["$dir", "$ports"]), .volume(["/d", "80 443/udp"])),
        (.expose(["$ports", "9$x"]), .expose(["80", "443/udp", "91"])),
        (
            .env([
                Assignment(name: "A$x", value: "\"$x y\""),
                Assignment(name: "B", value: "$A1", isLegacy: true),
            ]),
            .env([Assignment(name: "A1", value: "1 y"), Assignment(name: "B", value: "", isLegacy: true)])
        ),
        (
            .label([Assignment(name: "\"a b\"", value: "'$x'")]),
            .label([Assignment(name: "a b", value: "$x")])
        ),
        (
            .arg([ArgumentDeclaration(name: "a", value: "$x"), ArgumentDeclaration(name: "b", value: nil)]),
            .arg([ArgumentDeclaration(name: "a", value: "1"), ArgumentDeclaration(name: "b", value: nil)])
        ),
    ])
    func expands(_ written: Instruction.Kind, _ expected: Instruction.Kind) throws {
        #expect(try Self.expanded(written) == expected)
    }

    @Test func expandsWhatFilesAreNamedAndOwned() throws {
        var written = FileInstruction(sources: ["$x.txt", "'a b'"], destination: "$dir/")
        written.owner = "$x:$x"
        written.mode = "0$x"
        written.checksum = "sha256:$x"
        written.excludes = ["*.$x"]
        written.from = "$x"
        written.heredocs = [
            Heredoc(name: "A", expands: true, chomps: false, content: "'$x'\n"),
            Heredoc(name: "B", expands: false, chomps: false, content: "$x\n"),
        ]
        var expected = written
        expected.sources = ["1.txt", "a b"]
        expected.destination = "/d/"
        expected.owner = "1:1"
        expected.mode = "01"
        expected.checksum = "sha256:1"
        expected.excludes = ["*.1"]
        expected.heredocs[0].content = "'1'\n"
        #expect(try Self.expanded(.copy(written)) == .copy(expected))
        #expect(try Self.expanded(.add(written)) == .add(expected))
    }

    @Test func leavesToTheShellWhatIsTheShells() throws {
        let command = CommandLine(.shell("echo $x"))
        let kinds: [Instruction.Kind] = [
            .run(RunInstruction(command)), .cmd(command), .entrypoint(command), .shell(["$x"]),
            .healthcheck(HealthcheckInstruction(command: command)), .maintainer("$x"),
        ]
        for kind in kinds { #expect(try Self.expanded(kind) == kind) }
    }

    @Test func argumentsGetTheirFinalValues() throws {
        func final(_ declarations: [(String, String?)]) throws -> [String?] {
            let kind = Instruction.Kind.arg(declarations.map { ArgumentDeclaration(name: $0.0, value: $0.1) })
            let expanded = try Self.instruction(kind).expanding(
                Self.expansion, buildArguments: ["given": "g", "x": "2"],
                globalArguments: ["global": "G", "given": "n"])
            guard case .arg(let result) = expanded.instruction.kind else { return [] }
            #expect(expanded.undefined.isEmpty)
            return result.map(\.value)
        }
        #expect(try final([("given", "${nothing?must be given}")]) == ["g"])
        #expect(try final([("given", nil), ("a", "$given")]) == ["g", "g"])
        #expect(try final([("global", nil), ("a", "$global"), ("global", "'own'")]) == ["G", "G", "own"])
        #expect(try final([("a", "$x"), ("x", "$x"), ("b", "$x$a")]) == ["1", "2", "21"])
        #expect(try final([("nothing", nil), ("a", "$nothing")]) == [nil, ""])
    }

    @Test func mountsTellWhichVariablesTheyRead() throws {
        var run = RunInstruction(CommandLine(.shell("echo $z")))
        run.mounts = ["type=cache,target=$dir/$y"]
        let expanded = try Self.instruction(.run(run)).expanding(Self.expansion)
        #expect(expanded.instruction.kind == .run(run))
        #expect(expanded.used == ["dir"])
        #expect(expanded.undefined == ["y"])
    }

    @Test func errorsSayWhere() {
        let error = #expect(throws: DockerfileError.self) {
            _ = try Self.instruction(.user("${x")).expanding(Self.expansion)
        }
        #expect(error?.range == SourceRange(3))
    }

    @Test func tellsWhichVariablesWereRead() throws {
        let expanded = try Self.instruction(.volume(["$x", "$y"])).expanding(Self.expansion)
        #expect(expanded.used == ["x"])
        #expect(expanded.undefined == ["y"])
    }

    @Test func expandsTheBaseOfAStage() throws {
        let stage = Stage(
            index: 0, name: nil, base: "alpine:${x:-3}", platform: "linux/$arch", range: SourceRange(1),
            text: "")
        let expanded = try stage.expandingBase(Self.expansion)
        #expect(expanded.base == "alpine:1")
        #expect(expanded.platform == "linux/")
        #expect(expanded.used == ["x"])
        #expect(expanded.undefined == ["arch"])
    }
}
