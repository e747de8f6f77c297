import CommandTable
import Failure
import Testing

/// What holds for every row of the table.
@Suite struct TableTests {
    @Test(arguments: Verb.allCases)
    func `a row is about its verb and says what it does`(_ verb: Verb) {
        let description = verb.description
        #expect(description.verb == verb)
        #expect(!description.meaning.isEmpty && !description.meaning.hasSuffix("."))
        #expect(
            description.synopsis.hasPrefix("[OPTIONS]") == !description.flags.isEmpty || verb == .internal)
    }

    @Test(arguments: Verb.allCases)
    func `no verb has two flags of one name or letter`(_ verb: Verb) {
        let flags = verb.description.flags
        let names = flags.flatMap { [$0.name.rawValue] + ($0.alternate.map { [$0] } ?? []) }
        #expect(Set(names).count == names.count)
        let letters = flags.compactMap(\.short)
        #expect(Set(letters).count == letters.count)
        for flag in flags {
            #expect(!flag.meaning.isEmpty && !flag.meaning.hasSuffix("."), "\(flag.name)")
            #expect(flag.isToggle == flag.valueName.isEmpty, "\(flag.name)")
            #expect(flag.name != .help)
        }
    }

    @Test func `every flag name is a flag of some verb`() {
        var used = Set((CommandTable.globalFlags + CommandTable.runtimeFlags).map(\.name))
        for verb in Verb.allCases { used.formUnion(verb.description.flags.map(\.name)) }
        #expect(Set(FlagName.allCases).subtracting(used).isEmpty)
    }

    @Test(arguments: Verb.allCases)
    func `a default that help shows is one that the flag takes`(_ verb: Verb) throws {
        for flag in verb.description.flags {
            guard let text = flag.defaultText, !flag.isToggle else { continue }
            let words =
                verb.rawValue.split(separator: " ").map(String.init) + [
                    "--\(flag.name.rawValue)=\(text)", "--help",
                ]
            #expect(try CommandTable.parse(words).request == .help(.verb(verb)))
        }
    }

    @Test func `every spelling leads to its verb`() {
        for verb in Verb.allCases where verb != .internal {
            for spelling in verb.description.spellings {
                #expect(Verb(words: String(spelling.dropFirst(4))) == verb, "\(spelling)")
            }
        }
        #expect(Verb(words: "__") == nil)
    }

    @Test func `run has the flags that the main job needs and none of later issues`() {
        let names = Set(Verb.run.description.flags.map(\.name.rawValue))
        for wanted in [
            "cap-add", "cap-drop", "cidfile", "cpus", "entrypoint", "env", "env-file", "init", "memory",
            "mount", "name",
            "platform", "read-only", "rm", "shm-size", "tmpfs", "ulimit", "user", "detach", "interactive",
            "tty", "label",
            "network", "volume", "workdir", "restart", "hostname", "stop-signal", "security-opt",
            "privileged", "cpuset-cpus",
            "pids-limit", "memory-swap", "group-add", "device", "pull", "ipc", "pid", "uts", "cgroupns",
            "sysctl",
            "volumes-from", "annotation", "userns", "uidmap", "gidmap", "publish", "publish-all", "expose",
            "network-alias", "ip", "ip6", "link-local-ip", "mac-address", "dns", "dns-search", "dns-option",
            "balance", "add-host",
        ] {
            #expect(names.contains(wanted), "\(wanted)")
        }
        #expect(!names.contains("link"))
        #expect(!Verb.create.description.flags.contains { $0.name == .detach })
    }
}
