import CommandTable
import Foundation
import Testing

@Suite struct DocumentTests {
    @Test func `help of a verb`() {
        #expect(
            HelpText.text(on: .verb(.rm)) == """
                Usage:  ctr rm [OPTIONS] CONTAINER [CONTAINER...]

                Remove containers

                A running container is refused without --force. Named volumes always stay.

                Aliases:
                  ctr container rm, ctr container remove, ctr rm

                Options:
                  -f, --force     Kill a running container first
                  -v, --volumes   Remove the container's anonymous volumes too

                """)
    }

    @Test func `help of a verb with values and defaults`() {
        #expect(
            HelpText.text(on: .verb(.logs)) == """
                Usage:  ctr logs [OPTIONS] CONTAINER

                Print a container's output

                Aliases:
                  ctr container logs, ctr logs

                Options:
                  -f, --follow         Go on with new output until the container ends
                      --since string   Only what is newer than this time or duration (2026-01-31T08:30:00Z, 10m)
                  -n, --tail string    Only so many lines from the end (default all)
                  -t, --timestamps     Put the time before each line
                      --until string   Only what is older than this time or duration (2026-01-31T08:30:00Z, 10m)

                """)
    }

    @Test func `help of a group`() {
        #expect(
            HelpText.text(on: .group(.volume)) == """
                Usage:  ctr volume COMMAND

                Work with volumes

                Commands:
                  create    Create a volume
                  inspect   Show everything about volumes
                  ls        List volumes
                  prune     Remove anonymous volumes that no container uses
                  rm        Remove volumes and their data

                Run 'ctr volume COMMAND --help' for more information on a command.

                """)
    }

    @Test func `help of the program lists every verb of one word and every group once`() {
        let lines = HelpText.text(on: .program).split(separator: "\n")
        #expect(lines.first == "Usage:  ctr [OPTIONS] COMMAND")
        for verb in Verb.allCases where verb != .internal && !verb.rawValue.contains(" ") {
            #expect(lines.count { $0.hasPrefix("  \(verb.rawValue) ") } == 1, "\(verb)")
        }
        for group in VerbGroup.allCases { #expect(lines.count { $0.hasPrefix("  \(group.rawValue) ") } == 1) }
        #expect(!HelpText.text(on: .program).contains("__"))
    }

    @Test func `help of run shows every flag with its letter`() {
        let text = HelpText.text(on: .verb(.run))
        for line in [
            "  -e, --env list ", "      --rm ", "  -m, --memory bytes ", "  -h, --hostname string ",
            "      --cpus decimal ",
            "  -v, --volume list ", "      --ulimit ulimit ", "      --network network ",
        ] { #expect(text.contains("\n\(line)"), "\(line)") }
        #expect(!text.contains("--net "))
    }

    @Test func `the reference names every verb and flag`() {
        let text = MarkdownReference.text
        let page = ManPage.text(version: "1.0")
        for verb in Verb.allCases where verb != .internal {
            #expect(text.contains("\n## ctr \(verb.rawValue)\n"), "\(verb)")
            for flag in verb.description.flags where !flag.hidden {
                #expect(text.contains("`--\(flag.name.rawValue)"))
                #expect(
                    page.contains(
                        "\\-\\-" + flag.name.rawValue.split(separator: "-").joined(separator: "\\-")))
            }
        }
        #expect(!text.contains("__"))
        #expect(page.hasPrefix(".\\\""))
        // A line of text that begins with a dot would be taken for a macro.
        let macros: Set = [".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".BR", ".\\\""]
        for line in page.split(separator: "\n") where line.hasPrefix(".") || line.hasPrefix("'") {
            #expect(macros.contains(String(line.prefix { $0 != " " })), "\(line)")
        }
    }

    private static func run(_ program: String, _ arguments: [String], input: String = "") throws -> (
        Int32, String
    ) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let output = Pipe()
        let source = Pipe()
        process.standardOutput = output
        process.standardError = output
        process.standardInput = source
        try process.run()
        try source.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try source.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    private static func has(_ program: String) -> Bool {
        FileManager.default.isExecutableFile(atPath: program)
    }

    /// What bash offers for a line that ends where the cursor is, with a `ctr` that lists two names of each kind.
    private func offers(_ line: String) throws -> [String] {
        let names = """
            ctr() { case "$*" in ps*) printf 'cache\\nweb\\n' ;; images*) printf 'redis:7\\nredis:8\\nhost:5000/a:1\\n' ;; volume*) echo data ;; esac; }
            """
        let ask = """
            COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:'
            COMP_LINE='\(line)'; COMP_POINT=${#COMP_LINE}; _ctr; printf '%s\\n' "${COMPREPLY[@]}"
            """
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(
            "completion-\(UUID().uuidString)")
        try (ShellCompletion.bash.script + names + "\n" + ask).write(
            to: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: path) }
        let (status, text) = try Self.run("/bin/bash", ["--norc", path.path])
        #expect(status == 0, "\(text)")
        return text.split(separator: "\n").map(String.init)
    }

    @Test(
        .enabled(if: has("/bin/bash")),
        arguments: [
            ("ctr ru", ["run"]), ("ctr volume r", ["remove", "rm"]),
            ("ctr --root /x image pu", ["pull", "push"]),
            ("ctr run --pull ", ["always", "missing", "never"]), ("ctr run --pull=al", ["always"]),
            ("ctr run --cidf", ["--cidfile"]),
            ("ctr run --rm redis", ["redis:7", "redis:8"]), ("ctr run redis:", ["7", "8"]),
            ("ctr run host:5000/", ["5000/a:1"]),
            ("ctr run redis:7 --r", []), ("ctr rm -f c", ["cache"]), ("ctr rm cache w", ["web"]),
            ("ctr volume rm ", ["data"]),
            ("ctr exec -u 0 ", ["cache", "web"]), ("ctr exec cache l", []), ("ctr completion z", ["zsh"]),
            ("ctr run --name ", []),
            ("ctr inspect ", ["cache", "web", "redis:7", "redis:8", "host:5000/a:1"]),
            ("ctr --log-level d", []),
            ("ctr container ls --fi", ["--filter"]), ("ctr help ima", ["image", "images"]),
        ])
    func `bash completes`(_ line: String, _ wanted: [String]) throws {
        #expect(try offers(line) == wanted)
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `the shell itself finds no fault in its script`(_ name: String) throws {
        let shell = try #require(ShellCompletion(rawValue: name))
        guard let program = ["/bin/\(name)", "/usr/bin/\(name)"].first(where: Self.has) else { return }
        let (status, text) = try Self.run(program, ["-n", "/dev/stdin"], input: shell.script)
        #expect(status == 0 && text.isEmpty, "\(text)")
    }

    @Test(
        .enabled(if: has("/usr/bin/fish")),
        arguments: [
            ("ctr ru", "run"), ("ctr volume cre", "create"), ("ctr run --pull al", "always"),
            ("ctr image ls --dig", "--digests"),
        ])
    func `fish completes`(_ line: String, _ wanted: String) throws {
        let (_, text) = try Self.run(
            "/usr/bin/fish", ["--no-config"], input: ShellCompletion.fish.script + "\ncomplete -C '\(line)'\n"
        )
        let words = text.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
        #expect(words.contains(wanted), "\(text)")
    }
}
