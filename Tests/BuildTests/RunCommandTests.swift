import Dockerfile
import Testing

@testable import Build

@Suite struct RunCommandTests {
    private func command(_ text: String, shell: [String] = ["/bin/sh", "-c"]) throws -> RunCommand {
        let document = try DockerfileDocument.parse(Array("FROM scratch\n\(text)\n".utf8), name: "Dockerfile")
        guard case .run(let run) = document.stages[0].instructions[0].kind else {
            throw DockerfileError("no RUN")
        }
        return RunCommand(run.command, shell: shell)
    }

    @Test func forms() throws {
        #expect(try command("RUN a && b").arguments == ["/bin/sh", "-c", "a && b"])
        #expect(try command("RUN a", shell: ["/bin/bash", "-ec"]).arguments == ["/bin/bash", "-ec", "a"])
        #expect(try command(#"RUN ["a", "b c"]"#).arguments == ["a", "b c"])
        #expect(try command("RUN <<E\na\nb\nE").arguments == ["/bin/sh", "-c", "a\nb\n"])
        let script = try command("RUN <<E\n#!/usr/bin/env python3\nprint(1)\nE")
        #expect(script.arguments == [RunCommand.scriptPath])
        #expect(script.script == "#!/usr/bin/env python3\nprint(1)\n")
        #expect(try command("RUN cat <<E > f\na\nE").arguments[2].contains("cat <<E > f\na\nE"))
    }

    @Test func theSameCommandHasOneForm() throws {
        #expect(try command("RUN a \\\nb").canonical == command("RUN a b").canonical)
        #expect(try command(#"RUN ["a","b"]"#).canonical == command(#"RUN [ "a", "b" ]"#).canonical)
        #expect(try command(#"RUN ["a b"]"#).canonical != command(#"RUN ["a", "b"]"#).canonical)
    }
}
