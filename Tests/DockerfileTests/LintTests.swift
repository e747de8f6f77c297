import Dockerfile
import Testing

@Suite struct LintTests {
    struct Case: CustomTestStringConvertible {
        var rule: String
        var text: String
        /// The lines where the rule finds something; none: nothing is found.
        var lines: [Int]

        init(_ rule: String, _ text: String, _ lines: Int...) {
            self.rule = rule
            self.text = text
            self.lines = lines
        }

        var testDescription: String { "\(rule): \(text)" }
    }

    static func findings(
        _ text: String, buildArguments: [String: String] = [:], ignore: String? = nil, target: String? = nil,
        imageEnvironments: [String: Set<String>] = [:]
    ) throws -> [LintFinding] {
        let document = try DockerfileDocument.parse(Array(text.utf8), name: "Dockerfile")
        let patterns = try ignore.map { try IgnorePatterns(Array($0.utf8)) }
        return Lint(
            document: document, buildArguments: buildArguments, ignore: patterns, target: target,
            imageEnvironments: imageEnvironments
        ).findings()
    }

    static let casing = [
        Case("StageNameCasing", "FROM a AS Build", 1), Case("StageNameCasing", "FROM a AS build"),
        Case("FromAsCasing", "FROM a as b", 1), Case("FromAsCasing", "from a AS b", 1),
        Case("FromAsCasing", "FROM a AS b"), Case("FromAsCasing", "from --platform=$BUILDPLATFORM a as b"),
        Case("FromAsCasing", "FROM a"),
        Case("NoEmptyContinuation", "FROM a\nRUN b \\\n\n  c", 3),
        Case("NoEmptyContinuation", "FROM a\nRUN b \\\n  c"),
        Case("ConsistentInstructionCasing", "FROM a\nrun b\nRUN c", 2),
        Case("ConsistentInstructionCasing", "from a\nrun b\nRUN c", 3),
        Case("ConsistentInstructionCasing", "FROM a\nRun b", 2),
        Case("ConsistentInstructionCasing", "from a\nrun b"),
        Case("ConsistentInstructionCasing", "arg a\nFROM a\nRUN b", 1),
    ]

    static let names = [
        Case("DuplicateStageName", "FROM a AS b\nFROM c AS B", 2),
        Case("DuplicateStageName", "FROM a AS b\nFROM b"),
        Case("ReservedStageName", "FROM a AS scratch", 1), Case("ReservedStageName", "FROM a AS context", 1),
        Case("ReservedStageName", "FROM scratch AS contexts"),
        Case("InvalidDefinitionDescription", "# check=experimental=all\n\n# words\nFROM a AS b", 4),
        Case(
            "InvalidDefinitionDescription",
            "# check=experimental=all\n\n# b builds\nFROM a AS b\n# c is one\nARG c"),
        Case("InvalidDefinitionDescription", "# check=experimental=all\nFROM a AS b\n# d is one\nARG c", 4),
        Case(
            "InvalidDefinitionDescription",
            "# check=experimental=all\n# words\n\nFROM a AS b\n# words\n#\nARG c"),
        Case("InvalidDefinitionDescription", "# check=experimental=all\n\n# words\nFROM a"),
        Case("InvalidDefinitionDescription", "# words\nFROM a AS b"),
    ]

    static let bases = [
        Case("UndefinedArgInFrom", "FROM a:$B", 1), Case("UndefinedArgInFrom", "ARG B=1\nFROM a:$B"),
        Case("UndefinedArgInFrom", "ARG B\nFROM a:$B"), Case("UndefinedArgInFrom", "FROM a:${B:-1}"),
        Case("UndefinedArgInFrom", "FROM --platform=$BUILDPLATFORM a-$TARGETARCH"),
        Case("UndefinedArgInFrom", "FROM --platform=$PLATFORM a", 1),
        Case("UndefinedArgInFrom", "FROM a\nARG B=1\nFROM c:$B", 3),
        Case("InvalidDefaultArgInFrom", "ARG T\nFROM a:$T", 2),
        Case("InvalidDefaultArgInFrom", "ARG T=1\nFROM a:$T"),
        Case("InvalidDefaultArgInFrom", "ARG A\nFROM $A", 2),
        Case("InvalidDefaultArgInFrom", "ARG A\nFROM a${A}b"),
        Case("InvalidDefaultArgInFrom", "ARG A\nFROM ${A:-b}"),
        Case("InvalidDefaultArgInFrom", "ARG A=B_\nFROM $A", 2),
        Case(
            "InvalidDefaultArgInFrom",
            "ARG R=localhost:5000\nARG D=@sha256:0123456789abcdef0123456789abcdef\nFROM $R/a/b-c__d.e:1$D"),
        Case("RedundantTargetPlatform", "FROM --platform=$TARGETPLATFORM a", 1),
        Case("RedundantTargetPlatform", "FROM --platform=${TARGETPLATFORM} a", 1),
        Case("RedundantTargetPlatform", "FROM --platform=$BUILDPLATFORM a"),
        Case("FromPlatformFlagConstDisallowed", "FROM --platform=linux/amd64 a AS b", 1),
        Case("FromPlatformFlagConstDisallowed", "FROM --platform=linux/amd64 a AS b-amd64"),
        Case("FromPlatformFlagConstDisallowed", "FROM --platform=linux/$TARGETARCH a AS b"),
    ]

    static let instructions = [
        Case("JSONArgsRecommended", "FROM a\nCMD b", 2),
        Case("JSONArgsRecommended", "FROM a\nENTRYPOINT b", 2),
        Case("JSONArgsRecommended", "FROM a\nCMD [\"b\"]\nRUN c"),
        Case("JSONArgsRecommended", "FROM a\nSHELL [\"s\"]\nCMD b"),
        Case("JSONArgsRecommended", "FROM a AS b\nSHELL [\"s\"]\nFROM b\nCMD b"),
        Case("MaintainerDeprecated", "FROM a\nMAINTAINER b", 2),
        Case("MaintainerDeprecated", "FROM a\nLABEL b=c"),
        Case("WorkdirRelativePath", "FROM a\nWORKDIR b\nWORKDIR c", 2),
        Case("WorkdirRelativePath", "FROM a\nWORKDIR /b\nWORKDIR c"),
        Case("WorkdirRelativePath", "FROM a AS b\nWORKDIR /c\nFROM b\nWORKDIR d\nFROM a\nWORKDIR e", 6),
        Case("WorkdirRelativePath", "FROM a\nENV d=/e\nWORKDIR $d/f"),
        Case("WorkdirRelativePath", "FROM a\nWORKDIR $GOPATH/b"),
        Case("MultipleInstructionsDisallowed", "FROM a\nCMD [\"b\"]\nCMD [\"c\"]\nCMD [\"d\"]", 2, 3),
        Case(
            "MultipleInstructionsDisallowed", "FROM a\nCMD [\"b\"]\nENTRYPOINT [\"b\"]\nFROM a\nCMD [\"b\"]"),
        Case("MultipleInstructionsDisallowed", "FROM a\nHEALTHCHECK NONE\nHEALTHCHECK NONE", 2),
        Case("LegacyKeyValueFormat", "FROM a\nENV b c", 2),
        Case("LegacyKeyValueFormat", "FROM a\nLABEL b c", 2),
        Case("LegacyKeyValueFormat", "FROM a\nENV b=c\nLABEL b=c"),
        Case("SecretsUsedInArgOrEnv", "ARG API_TOKEN\nFROM a\nARG password\nENV A=b AWS_SECRET_X=c", 1, 3, 4),
        Case("SecretsUsedInArgOrEnv", "FROM a\nARG PUBLIC_KEY\nENV MONKEY=1 TOKENIZER=2"),
        Case("ExposeProtoCasing", "FROM a\nEXPOSE 80/TcP", 2),
        Case("ExposeProtoCasing", "FROM a\nEXPOSE 80/udp 9"),
        Case("ExposeInvalidFormat", "FROM a\nEXPOSE 127.0.0.1:80:80", 2),
        Case("ExposeInvalidFormat", "FROM a\nEXPOSE 80:80/tcp", 2),
        Case("ExposeInvalidFormat", "FROM a\nENV p=80\nEXPOSE $p 90-99/tcp"),
    ]

    static let variables = [
        Case("UndefinedVar", "FROM a\nENV b=$c", 2), Case("UndefinedVar", "FROM a\nENV b=c\nENV d=$b"),
        Case("UndefinedVar", "FROM a\nENV b=c d=$b", 2), Case("UndefinedVar", "FROM a\nARG b\nUSER $b"),
        Case("UndefinedVar", "FROM a\nUSER ${b:-c}"),
        Case("UndefinedVar", "FROM a\nRUN echo $b\nCMD [\"$b\"]"),
        Case("UndefinedVar", "FROM a\nENV PATH=/b:$PATH\nWORKDIR $HOME", 3),
        Case("UndefinedVar", "FROM scratch\nENV PATH=/b:$PATH\nWORKDIR $GOPATH", 3),
        Case("UndefinedVar", "FROM a\nWORKDIR $GOPATH\nENV b=$http_proxy"),
        Case("UndefinedVar", "ARG b=c\nFROM a\nENV d=$b", 3),
        Case("UndefinedVar", "ARG b=c\nFROM a\nARG b\nENV d=$b"),
        Case("UndefinedVar", "FROM a\nENV b=$TARGETARCH\nARG TARGETARCH\nENV b=$TARGETARCH", 2),
        Case("UndefinedVar", "FROM a AS b\nARG c\nENV d=e\nFROM b\nENV f=$c$d\nFROM a\nENV f=$c", 7),
        Case("UndefinedVar", "FROM a\nARG b=c d=$b e\nUSER $d$e"),
        Case("UndefinedVar", "FROM a\nRUN --mount=type=cache,target=/d$b c", 2),
        Case("UndefinedVar", "FROM a\nCOPY --chown=$b <<A <<'B' /c/\n$d\nA\n$e\nB", 2),
    ]

    @Test(arguments: casing + names + bases + instructions + variables) func finds(_ lintCase: Case) throws {
        let found = try Self.findings(lintCase.text).filter { $0.rule == lintCase.rule }
        #expect(Set(found.map { $0.range?.firstLine }) == Set(lintCase.lines))
        for finding in found { #expect(!finding.message.isEmpty && !finding.summary.isEmpty) }
    }

    @Test func aSoundDockerfileHasNoFindings() throws {
        let text = """
            # syntax=docker/dockerfile:1
            ARG VERSION=1.22
            FROM --platform=$BUILDPLATFORM golang:${VERSION} AS build
            ARG TARGETOS TARGETARCH
            WORKDIR /src
            COPY go.mod go.sum ./
            RUN go mod download
            COPY . .
            ENV PATH=$PATH:/src/bin
            RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -o /out/app

            FROM scratch
            COPY --from=build /out/app /app
            LABEL org.opencontainers.image.authors="a b"
            EXPOSE 80 443/udp
            ENTRYPOINT ["/app"]
            """
        #expect(try Self.findings(text) == [])
    }

    @Test func suggestsWhatWasMeant() throws {
        let text = "FROM a\nARG VERSION=1\nENV X=$VERSOIN"
        #expect(
            try Self.findings(text).first?.message
                == "the variable \"VERSOIN\" is not defined (did you mean \"VERSION\"?)")
        #expect(try Self.findings("ARG TAG=1\nFROM a:$TGA").first?.message.contains("\"TAG\"?") == true)
    }

    @Test func buildArgumentsAreValues() throws {
        let text = "ARG A\nFROM $A\nARG D\nWORKDIR $D"
        let rules = try Self.findings(text, buildArguments: ["A": "b", "D": "c"]).map(\.rule)
        // The default is looked at whatever is given now.
        #expect(rules == ["InvalidDefaultArgInFrom", "WorkdirRelativePath"])
    }

    @Test func imagesTellTheirEnvironment() throws {
        let text = "ARG T=1\nFROM a:$T\nENV B=$C D=$LANG"
        #expect(try Self.findings(text).map(\.rule) == ["UndefinedVar"])
        let found = try Self.findings(text, imageEnvironments: ["a:1": ["C"]])
        #expect(found.map(\.message) == ["the variable \"LANG\" is not defined"])
    }

    @Test func looksOnlyIntoWhatTheTargetNeeds() throws {
        let text = """
            FROM a AS one
            CMD b
            FROM a AS two
            CMD b
            FROM a AS three
            CMD b
            FROM a AS four
            CMD b
            FROM one AS five
            COPY --from=two /x /x
            RUN --mount=type=bind,from=2,target=/y true
            FROM five AS six
            CMD b
            """
        #expect(try Self.findings(text, target: "five").map { $0.range?.firstLine } == [2, 4, 6])
        #expect(try Self.findings(text, target: "six").map { $0.range?.firstLine } == [2, 4, 6, 13])
        #expect(try Self.findings(text).count == 5)
    }

    @Test func copiesOfIgnoredFiles() throws {
        let text = """
            # check=experimental=CopyIgnoredFile
            FROM a
            COPY ./tmp/x y /z/
            COPY . /z/
            COPY tmp /z/
            COPY --from=b tmp/x /z/
            ADD https://example.com/tmp/x /z/
            COPY src *.tmp <<E /z/
            E
            ADD src/x /z/
            """
        let found = try Self.findings(text, ignore: "tmp/*\n*.tmp\nsrc\n!src/y")
        #expect(found.map { $0.range?.firstLine } == [3, 10])
        #expect(found.allSatisfy { $0.rule == "CopyIgnoredFile" })
        #expect(try Self.findings(text) == [])
    }

    @Test func directiveSkipsAndFails() throws {
        let body = "FROM a as b\nCMD c\n"
        func lint(_ directive: String, _ arguments: [String: String] = [:]) throws -> Lint {
            let bytes = Array((directive + "\n" + body).utf8)
            return Lint(
                document: try DockerfileDocument.parse(bytes, name: "Dockerfile"), buildArguments: arguments)
        }
        #expect(try lint("# check=skip=all").findings() == [])
        #expect(try lint("# check=skip=FromAsCasing, jsonargsrecommended;error=true").findings() == [])
        let some = try lint("# check=skip=FromAsCasing;error=true")
        #expect(some.findings().map(\.rule) == ["JSONArgsRecommended"])
        #expect(some.failsOnFindings)
        #expect(try !lint("# none").failsOnFindings)
        let overridden = try lint("# check=skip=all", ["BUILDKIT_DOCKERFILE_CHECK": "error=true"])
        #expect(overridden.findings().count == 2)
        #expect(overridden.failsOnFindings)
    }
}
