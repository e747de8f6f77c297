import CommandTable
import Failure
import Testing

@Suite struct ParseTests {
    private func parse(_ line: String) throws(Failure) -> ParsedCommand {
        try CommandTable.parse(line.split(separator: " ").map(String.init))
    }

    private func failure(_ words: [String]) -> Failure? {
        do {
            _ = try CommandTable.parse(words)
            return nil
        } catch {
            return error
        }
    }

    @Test func `run stops reading flags at the image`() throws {
        let command = try parse("run -it --rm alpine ls --rm=false -x -- y")
        #expect(command.verb == .run)
        #expect(command.positionals == ["alpine", "ls", "--rm=false", "-x", "--", "y"])
        #expect(command.flag(.rm) && command.flag(.tty) && command.flag(.interactive))
        #expect(!command.flag(.detach))
        #expect(command.flag(.sigProxy))
    }

    @Test func `flags may follow the arguments elsewhere, until two dashes`() throws {
        let command = try parse("rm one -f two -- -v")
        #expect(command.positionals == ["one", "two", "-v"])
        #expect(command.flag(.force) && !command.flag(.volumes))
        #expect(try parse("import - name").positionals == ["-", "name"])
        #expect(try parse("run -- image -x").positionals == ["image", "-x"])
    }

    @Test(arguments: [
        (["-e", "-x"], ["-x"]), (["-e=A"], ["A"]), (["-eA=1"], ["A=1"]), (["--env=A=1"], ["A=1"]),
        (["--env", "A", "-e", "B=--rm"], ["A", "B=--rm"]), (["-ite", "A"], ["A"]), (["-iteA"], ["A"]),
        (["-e", "--", "-e", "B"], ["--", "B"]), (["-e", "A=", "--env", "A= x\n"], ["A=", "A= x\n"]),
    ])
    func `a value flag takes the next word or what stands beside it`(_ words: [String], _ wanted: [String])
        throws
    {
        let command = try CommandTable.parse(["run"] + words + ["image"])
        #expect(command.values(.env) == wanted)
        #expect(command.positionals == ["image"])
    }

    @Test(arguments: [
        ("--rm", true), ("--rm=false", false), ("--rm=0", false), ("--rm=T", true),
        ("--rm --rm=FALSE", false),
        ("--rm=false --rm", true), ("-it", false),
    ])
    func `a switch takes a value only after an equals sign`(_ flags: String, _ wanted: Bool) throws {
        let command = try parse("run \(flags) image true")
        #expect(command.flag(.rm) == wanted)
        #expect(command.positionals == ["image", "true"])
    }

    @Test func `letters of switches may end in a value for the last`() throws {
        let command = try parse("run -it=false image")
        #expect(command.flag(.interactive) && !command.flag(.tty))
        #expect(try parse("run -v/a:/b -va:/c image").values(.volume) == ["/a:/b", "a:/c"])
        #expect(try parse("exec -u0 -w/ c id").value(.user) == "0")
        #expect(try parse("ps -n-1").integer(.last) == -1)
    }

    @Test func `the last value of a single flag counts, all of a list in their order`() throws {
        let command = try parse("run --name a -m 1m --name=b -l x=1 --label y -m 2m image")
        #expect(command.value(.name) == "b")
        #expect(command.values(.label) == ["x=1", "y"])
        #expect(try command.parsed(.memory) { text throws(Failure) in try ByteSize.parse(text) } == 2 << 20)
        #expect(command.value(.user) == nil)
        #expect(!command.isGiven(.user) && command.isGiven(.name))
    }

    @Test func `ports stand beside their letter`() throws {
        let command = try parse("run -dp80:80 -p 8080:8080 -Pp=53:53/udp image -p 1:1")
        #expect(command.values(.publish) == ["80:80", "8080:8080", "53:53/udp"])
        #expect(command.flag(.detach) && command.flag(.publishAll))
        #expect(command.positionals == ["image", "-p", "1:1"])
    }

    @Test func `the other name of a flag is understood`() throws {
        #expect(try parse("run --net host --network back image").values(.network) == ["host", "back"])
        #expect(try parse("run --net-alias web --dns-opt ndots:2 image").values(.networkAlias) == ["web"])
        #expect(try parse("stop --time=3 c").integer(.timeout) == 3)
        #expect(try parse("stop --timeout 3 c").integer(.timeout) == 3)
    }

    @Test(arguments: [
        ("run --nmae x image", "unknown flag: --nmae", "Did you mean '--name'? See 'ctr run --help'."),
        (
            "run --interact image", "unknown flag: --interact",
            "Did you mean '--interactive'? See 'ctr run --help'."
        ),
        ("run --zzzzzzzz image", "unknown flag: --zzzzzzzz", "See 'ctr run --help'."),
        ("ps -ayz", "unknown shorthand flag: 'y' in -yz", "See 'ctr ps --help'."),
        ("run --name", "flag needs an argument: --name", "See 'ctr run --help'."),
        ("run -ite", "flag needs an argument: 'e' in -e", "See 'ctr run --help'."),
        ("run -h", "flag needs an argument: 'h' in -h", "See 'ctr run --help'."),
        (
            "run --rm=maybe image", "invalid argument \"maybe\" for \"--rm\" flag: neither true nor false",
            "See 'ctr run --help'."
        ),
        (
            "ps -n x", "invalid argument \"x\" for \"-n, --last\" flag: not a whole number",
            "See 'ctr ps --help'."
        ),
        (
            "run --pull=sometimes image",
            "invalid argument \"sometimes\" for \"--pull\" flag: must be one of always, missing, never",
            "See 'ctr run --help'."
        ),
        (
            "run -m 1x image",
            "invalid argument \"1x\" for \"-m, --memory\" flag: not a size such as 512k, 256m or 1.5g",
            "See 'ctr run --help'."
        ),
        (
            "run --oom-score-adj 1001 image",
            "invalid argument \"1001\" for \"--oom-score-adj\" flag: the most is 1000",
            "See 'ctr run --help'."
        ),
        ("ps ---all", "bad flag syntax: ---all", "See 'ctr ps --help'."),
        ("ps --=all", "bad flag syntax: --=all", "See 'ctr ps --help'."),
        ("rnu image", "unknown command: ctr rnu", "Did you mean 'ctr run'? See 'ctr --help'."),
        ("frobnicate", "unknown command: ctr frobnicate", "See 'ctr --help'."),
        (
            "volume creat x", "unknown command: ctr volume creat",
            "Did you mean 'ctr volume create'? See 'ctr volume --help'."
        ),
        ("help rnu", "unknown command: ctr rnu", "Did you mean 'ctr run'? See 'ctr --help'."),
        ("--rm run image", "unknown flag: --rm", "See 'ctr --help'."),
        ("--root", "flag needs an argument: --root", "See 'ctr --help'."),
        ("volume --nope", "unknown flag: --nope", "See 'ctr volume --help'."),
        (
            "run", "\"ctr run\" requires at least 1 argument",
            "Usage:  ctr run [OPTIONS] IMAGE [COMMAND] [ARG...]\nSee 'ctr run --help'."
        ),
        (
            "tag a", "\"ctr tag\" requires exactly 2 arguments",
            "Usage:  ctr tag SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]\nSee 'ctr tag --help'."
        ),
        ("ps a", "\"ctr ps\" accepts no arguments", "Usage:  ctr ps [OPTIONS]\nSee 'ctr ps --help'."),
        (
            "images a b", "\"ctr images\" requires at most 1 argument",
            "Usage:  ctr images [OPTIONS] [REPOSITORY[:TAG]]\nSee 'ctr images --help'."
        ),
        (
            "import", "\"ctr import\" requires at least 1 and at most 2 arguments",
            "Usage:  ctr import [OPTIONS] FILE|- [REPOSITORY[:TAG]]\nSee 'ctr import --help'."
        ),
    ])
    func `a command line that the table does not allow gets one line and a hint`(
        _ line: String, _ message: String, _ hint: String
    ) {
        let failure = failure(line.split(separator: " ").map(String.init))
        #expect(failure?.code == .invalidArgument)
        #expect(failure?.message == message)
        #expect(failure?.hint == hint)
    }

    @Test func `a failure inside a value names flag and value`() throws {
        let command = try parse("run --cpus 1.5 image")
        do {
            _ = try command.parsed(.cpus) { _ throws(Failure) -> Int in
                throw Failure(.invalidArgument, "too many")
            }
            Issue.record("no failure")
        } catch {
            #expect(error.message == "invalid argument \"1.5\" for \"--cpus\" flag: too many")
        }
    }

    @Test func `flags before the verb hold for every verb`() throws {
        let command = try parse("--root /x --run-root=/y -D --log-level warn ps -a")
        #expect(command.verb == .ps)
        #expect(command.value(.root) == "/x" && command.value(.runRoot) == "/y")
        #expect(command.flag(.debug) && command.flag(.all))
        #expect(command.value(.logLevel) == "warn")
        #expect(try !parse("ps").flag(.debug))
        #expect(failure(["--log-level", "loud", "ps"]) != nil)
        #expect(failure(["ps", "--root", "/x"]) != nil)
    }

    @Test func `a verb's debug or version argument is its own`() throws {
        #expect(try parse("run image -D -v").flag(.debug) == false)
        #expect(try parse("-v").request == .versionLine)
        #expect(try parse("--version ps").request == .versionLine)
        #expect(try parse("version").request == .perform)
    }

    @Test(arguments: [
        ("", HelpTopic.program), ("-h", .program), ("--help", .program), ("help", .program),
        ("help run", .verb(.run)),
        ("run --help", .verb(.run)), ("run --help image", .verb(.run)), ("ps -h", .verb(.ps)),
        ("--help ps", .verb(.ps)),
        ("volume", .group(.volume)), ("volume --help", .group(.volume)), ("help volume", .group(.volume)),
        ("help volume ls", .verb(.volumeList)), ("volume ls -h", .verb(.volumeList)),
        ("image", .group(.image)),
        ("image help", .group(.image)), ("rm --help", .verb(.rm)), ("help image rm", .verb(.rmi)),
    ])
    func `help is asked for in docker's ways`(_ line: String, _ topic: HelpTopic) throws {
        #expect(try parse(line).request == .help(topic))
    }

    @Test func `help after the image belongs to the command`() throws {
        let command = try parse("run image --help")
        #expect(command.request == .perform)
        #expect(command.positionals == ["image", "--help"])
    }

    @Test(arguments: [
        ("container ls", Verb.ps), ("container list", .ps), ("container rm c", .rm),
        ("container remove c", .rm),
        ("image ls", .images), ("image list", .images), ("image rm i", .rmi), ("image remove i", .rmi),
        ("image pull i", .pull), ("image inspect i", .imageInspect),
        ("container inspect c", .containerInspect),
        ("volume list", .volumeList), ("volume remove v", .volumeRemove), ("container run i", .run),
        ("rmi i", .rmi),
    ])
    func `other words for a verb`(_ line: String, _ verb: Verb) throws {
        #expect(try parse(line).verb == verb)
    }

    @Test func `an internal verb keeps its words as they are`() throws {
        let command = try parse("--root /x __adopt -f --what id")
        #expect(command.verb == .internal)
        #expect(command.positionals == ["__adopt", "-f", "--what", "id"])
        #expect(command.value(.root) == "/x")
    }

    @Test(arguments: [
        ("run --nope", Int32(125)), ("--debug run", 125), ("create", 125), ("exec c", 125), ("ps --nope", 1),
        ("--nope run", 1), ("frobnicate", 1), ("container run --nope", 125), ("volume ls x", 1),
    ])
    func `usage failures have docker's exit codes`(_ line: String, _ code: Int32) {
        #expect(CommandTable.usageExitCode(of: line.split(separator: " ").map(String.init)) == code)
    }
}
