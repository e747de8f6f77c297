import Dockerfile
import Testing

@Suite struct RunMountTests {
    private func parse(_ text: String) throws(DockerfileError) -> RunMount {
        try RunMount.parse(text) { (value) throws(DockerfileError) in value }
    }

    @Test func bindIsTheDefaultAndReadOnly() throws {
        let mount = try parse("target=/src")
        #expect(mount == RunMount(.bind, target: "/src"))
        #expect(mount.isReadOnly)
        #expect(try !parse("target=/src,rw").isReadOnly)
        #expect(try !parse("target=/src,readonly=false").isReadOnly)
        #expect(try parse("target=/src,readwrite=false").isReadOnly)
        #expect(try parse("type=BIND,dst=a,src=b,from=base").from == "base")
    }

    @Test func cacheHasDefaults() throws {
        let mount = try parse("type=cache,target=/root/.cache")
        #expect(mount.id == "/root/.cache")
        #expect(mount.mode == 0o755)
        #expect(mount.sharing == .shared)
        #expect(!mount.isReadOnly)
        let full = try parse(
            "type=cache,id=go,target=/go,sharing=LOCKED,mode=0700,uid=1000,gid=100,from=a,source=b,ro")
        #expect(full.id == "go")
        #expect(full.sharing == .locked)
        #expect(full.mode == 0o700)
        #expect(full.uid == 1000)
        #expect(full.gid == 100)
        #expect(full.from == "a")
        #expect(full.source == "b")
        #expect(full.isReadOnly)
    }

    @Test func tmpfsHasASize() throws {
        #expect(try parse("type=tmpfs,target=/tmp,size=64m").size == 64 << 20)
        #expect(try parse("type=tmpfs,target=/tmp,size=1.5GiB").size == 3 << 29)
        #expect(try parse("type=tmpfs,target=/tmp,size=10b").size == 10)
        #expect(try parse("type=tmpfs,target=/tmp").isReadOnly == false)
    }

    @Test func secretKnowsItsPlace() throws {
        let mount = try parse("type=secret,id=team/token,required")
        #expect(mount.target == "/run/secrets/token")
        #expect(mount.mode == 0o400)
        #expect(mount.isRequired)
        #expect(mount.isReadOnly)
        #expect(try parse("type=secret,target=/etc/key").id == "key")
        #expect(try parse("type=secret,source=key").id == "key")
        let variable = try parse("type=secret,id=token,env=TOKEN")
        #expect(variable.environmentName == "TOKEN")
        #expect(variable.target == "")
        #expect(try parse("type=secret,id=token,env=TOKEN,target=/t").target == "/t")
    }

    @Test func sshHasAnIdentity() throws {
        let mount = try parse("type=ssh")
        #expect(mount.id == "default")
        #expect(mount.mode == 0o600)
        #expect(mount.target == "")
        #expect(try parse("type=ssh,required=false,uid=0").isRequired == false)
    }

    @Test func quotesHoldCommas() throws {
        #expect(try parse("target=/a,\"source=b,c\"").source == "b,c")
        #expect(try parse("\"target=/a\"\"b\"").target == "/a\"b")
    }

    @Test func valuesAreExpanded() throws {
        let mount = try RunMount.parse("type=$kind,target=/x") { (value) throws(DockerfileError) in
            value == "$kind" ? "cache" : value
        }
        #expect(mount.kind == .cache)
        #expect(throws: DockerfileError("no such variable")) {
            try RunMount.parse("target=$x") { (_) throws(DockerfileError) in
                throw DockerfileError("no such variable")
            }
        }
    }

    @Test(
        arguments: [
            ("type=cahce,target=/x", "unsupported mount type \"cahce\"", "did you mean \"cache\"?"),
            (
                "type=volume,target=/x", "unsupported mount type \"volume\"",
                "it is bind, cache, tmpfs, secret or ssh"
            ),
            ("type=cache,tagret=/x", "unknown mount field \"tagret\"", "did you mean \"target\"?"),
            ("type=cache,target", "mount field \"target\" needs a value", "write it as target=VALUE"),
            ("type=cache", "a cache mount needs a target", "write it as target=PATH"),
            ("", "a mount field is empty", nil),
            ("target=/x,", "a mount field is empty", nil),
            ("target=/x,dst=/y", "mount field \"dst\" is given twice", nil),
            ("target=/x,ro,rw", "a mount is either readonly or readwrite", nil),
            ("target=/x,ro=maybe", "mount field \"readonly\" is true or false, not \"maybe\"", nil),
            ("target=/a/..", "invalid mount target \"/a/..\"", nil),
            ("target=/x,size=1m", "a bind mount has no field \"size\"", nil),
            ("target=/x,mode=0700", "a bind mount has no field \"mode\"", nil),
            ("target=/x,sharing=shared", "a bind mount has no field \"sharing\"", nil),
            ("target=/x,required", "a bind mount has no field \"required\"", nil),
            ("type=cache,target=/x,env=A", "a cache mount has no field \"env\"", nil),
            ("type=secret,id=a,from=b", "a secret mount has no field \"from\"", nil),
            (
                "type=tmpfs,target=/x,size=lots", "invalid mount size \"lots\"",
                "a size is a number and a unit: 64m, 1g"
            ),
            (
                "type=tmpfs,target=/x,size=-1", "invalid mount size \"-1\"",
                "a size is a number and a unit: 64m, 1g"
            ),
            (
                "type=tmpfs,target=/x,size=9999999p", "invalid mount size \"9999999p\"",
                "a size is a number and a unit: 64m, 1g"
            ),
            ("type=cache,target=/x,mode=0788", "mount mode \"0788\" is no octal number", nil),
            ("type=cache,target=/x,uid=root", "mount uid \"root\" is no number", nil),
            ("type=cache,target=/x,gid=+1", "mount gid \"+1\" is no number", nil),
            (
                "type=cache,target=/x,sharing=lock", "unsupported sharing \"lock\" of a cache mount",
                "did you mean \"locked\"?"
            ),
            ("type=secret", "a secret mount needs an id, a source or a target", nil),
            ("type=secret,id=a,source=b", "a secret mount takes its id or its source, not both", nil),
            (
                "target=/x,from=$base", "mount field \"from\" takes no variables",
                "FROM takes them: name a stage for it with AS"
            ),
            ("target=/x\"y", "a quote stands within an unquoted mount field", nil),
            ("\"target=/x\"y", "a mount field goes on behind its closing quote", nil),
            ("\"target=/x", "a quote in a mount has no end", nil),
        ] as [(String, String, String?)])
    func refuses(_ text: String, _ message: String, _ hint: String?) {
        #expect(throws: DockerfileError(message, hint: hint)) { try parse(text) }
    }
}
