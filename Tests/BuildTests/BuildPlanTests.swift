import Dockerfile
import OCI
import Testing

@testable import Build

@Suite struct BuildPlanTests {
    private func plan(
        _ text: String, target: String? = nil, arguments: [String: String] = [:], contexts: Set<String> = []
    ) throws -> BuildPlan {
        let document = try DockerfileDocument.parse(Array(text.utf8), name: "Dockerfile")
        let platform = Platform(os: "linux", architecture: "arm64")
        return try BuildPlan(
            document, target: target,
            arguments: BuildArguments(arguments, platform: platform, host: platform, target: target),
            contexts: contexts)
    }

    private let stages = """
        ARG BASE=debian
        FROM ${BASE}:12 AS build
        RUN make
        FROM alpine AS unused
        RUN rm -rf /
        FROM build AS Test
        COPY --from=build /a /b
        FROM scratch
        COPY --from=0 /a /b
        RUN --mount=type=bind,from=tools,target=/tools true
        COPY --from=busybox /bin/sh /bin/sh
        """

    @Test func onlyWhatTheTargetNeeds() throws {
        let last = try plan(stages)
        #expect(last.target == 3 && last.stages == [0, 3])
        #expect(last.bases[0] == .image("debian:12") && last.bases[3] == .scratch)
        let test = try plan(stages, target: "test")
        #expect(test.stages == [0, 2] && test.bases[2] == .stage(0))
        #expect(try plan(stages, target: "1").stages == [1])
    }

    @Test func argumentsAndContexts() throws {
        #expect(try plan(stages, arguments: ["BASE": "ubuntu"]).bases[0] == .image("ubuntu:12"))
        let named = try plan(stages, contexts: ["tools", "busybox"])
        #expect(named.source("tools", in: 3, contexts: ["tools", "busybox"]) == .context("tools"))
        #expect(named.source("busybox", in: 3, contexts: []) == .image("busybox"))
        #expect(named.source("0", in: 3, contexts: []) == .stage(0))
        // A number that is no former stage, and a later stage's name, are images.
        #expect(named.source("7", in: 3, contexts: []) == .image("7"))
        #expect(named.source("test", in: 0, contexts: []) == .image("test"))
        #expect(try plan("FROM --platform=$BUILDPLATFORM x AS a").platforms[0] == "linux/arm64")
    }

    @Test func mistakesAreNamed() throws {
        let unknown = #expect(throws: DockerfileError.self) { try plan(stages, target: "biuld") }
        #expect(unknown?.message == "target stage \"biuld\" could not be found")
        #expect(unknown?.hint == "did you mean \"build\"?")
        let blank = #expect(throws: DockerfileError.self) { try plan("ARG X\nFROM $X") }
        #expect(blank?.range?.firstLine == 2)
    }

    @Test func proxiesNeedNoDeclarationAndOthersAreToldOf() {
        let arguments = BuildArguments(
            ["HTTP_PROXY": "p", "USED": "1", "UNUSED": "2", "SOURCE_DATE_EPOCH": "0"],
            platform: Platform(os: "linux", architecture: "amd64"),
            host: Platform(os: "linux", architecture: "amd64"), target: nil)
        #expect(arguments.unused(declared: ["USED"]) == ["UNUSED"])
        #expect(arguments.givenProxies.map(\.name) == ["HTTP_PROXY"])
        #expect(arguments.predefined("TARGETARCH") == "amd64" && arguments.predefined("OTHER") == nil)
    }
}
