import Failure
import Testing
import Volumes

@Suite struct MountRequestTests {
    private func volume(_ text: String) throws(Failure) -> MountRequest {
        try MountRequest(volume: text, workingDirectory: "/home/me")
    }

    private func mount(_ text: String) throws(Failure) -> MountRequest {
        try MountRequest(mount: text, workingDirectory: "/home/me")
    }

    private func message(_ body: () throws(Failure) -> MountRequest) -> String? {
        do throws(Failure) {
            _ = try body()
            return nil
        } catch {
            return error.message
        }
    }

    @Test(
        arguments: [
            ("/data", .volume(name: nil), "/data"), ("db:/data", .volume(name: "db"), "/data"),
            ("db:/data/../x//y/", .volume(name: "db"), "/x/y"),
            ("/srv:/data", .bind(path: "/srv", createsSource: true), "/data"),
            ("./a:/data", .bind(path: "/home/me/a", createsSource: true), "/data"),
            ("../a:/data", .bind(path: "/home/a", createsSource: true), "/data"),
            (".:/data", .bind(path: "/home/me", createsSource: true), "/data"),
            ("/:/host", .bind(path: "/", createsSource: true), "/host"),
        ] as [(String, MountRequest.Source, String)])
    func `sources and targets of -v`(_ text: String, _ source: MountRequest.Source, _ target: String) throws {
        let request = try volume(text)
        #expect(request.source == source)
        #expect(request.target == target)
        #expect(!request.isReadOnly && request.propagation == nil && !request.isNeverFilled)
    }

    @Test func `options of -v`() throws {
        #expect(try volume("db:/d:ro").isReadOnly)
        #expect(try !volume("db:/d:rw,z").isReadOnly)
        #expect(try volume("db:/d:rw,z").relabeling == "z")
        #expect(try volume("/h:/d:Z,ro").relabeling == "Z")
        #expect(try volume("/h:/d").relabeling == nil)
        #expect(try volume("db:/d:nocopy,ro").isNeverFilled)
        #expect(try volume("db:/d:U").changesOwner)
        #expect(try volume("/a:/d:ro,idmap").idMapping == "")
        #expect(
            try volume("/a:/d:idmap=uids=0-1-10#10-11-10;gids=0-100-10").idMapping
                == "uids=0-1-10#10-11-10;gids=0-100-10")
        #expect(try volume("/a:/d:rslave,ro,Z").propagation == "rslave")
        #expect(try volume("/a:/d:cached").propagation == nil)
    }

    @Test(arguments: [
        ("", "the path in the container is not absolute: \"\""),
        ("data", "the path in the container is not absolute: \"data\""),
        ("db:data", "the path in the container is not absolute: \"data\""),
        ("/", "nothing can be mounted at \"/\" of the container"),
        ("db:/", "nothing can be mounted at \"/\" of the container"),
        ("db:/a/..", "nothing can be mounted at \"/\" of the container"),
        (":/data", "nothing before the first colon"), ("d:/data", "\"d\" cannot be the name of a volume"),
        ("-db:/data", "\"-db\" cannot be the name of a volume"),
        ("a/b:/data", "\"a/b\" cannot be the name of a volume"),
        (".hidden:/data", "\".hidden\" cannot be the name of a volume"),
        ("/data:ro", "\"ro\" is not an absolute path in the container"),
        ("a:/b:/c", "\"a\" cannot be the name of a volume"), ("db:/b:/c", "unknown option \"/c\""),
        ("db:/b:ro:z", "more than two colons"),
        ("db:/b:", "unknown option \"\""), ("db:/b:ro,rw", "ro or rw is given twice"),
        ("db:/b:ro,ro", "ro or rw is given twice"),
        ("db:/b:rshared", "rshared is for paths of the host, and db is a volume"),
        ("/a:/b:nocopy", "nocopy is for volumes, and /a is a path of the host"),
        ("/a:/b:slave,shared", "two propagations"),
        ("db:/b:idmap", "idmap is for paths of the host"),
        ("/usr:/b:U", "the option U would give /usr of the host to the container's user"),
        (
            "/a:/b:idmap=uids=0-1-1",
            "idmap=uids=0-1-1: not of the form idmap=uids=SOURCE-MOUNT-SIZE[#…];gids=…"
        ),
        ("db:/b:RO", "unknown option \"RO\""),
        ("db:/b\u{1}", "a control character in the path"), ("db:/b:z,Z", "z or Z is given twice"),
        ("~/a:/b", "\"~/a\" cannot be the name of a volume"),
    ])
    func `bad -v`(_ text: String, _ wanted: String) {
        #expect(message { () throws(Failure) in try volume(text) } == wanted)
    }

    @Test func `a path has a bound`() {
        #expect(throws: Failure.self) { try volume("db:/" + String(repeating: "a", count: 5000)) }
        #expect(throws: Failure.self) { try volume(String(repeating: "a", count: 256) + ":/data") }
    }

    @Test func `a mount with every key of a volume`() throws {
        let request = try mount(
            "type=volume,source=db,target=/data,readonly,volume-nocopy=true,volume-subpath=a/./b,volume-label=x=1,volume-label=y,"
                + "volume-driver=local,volume-opt=type=none,volume-opt=device=/srv,\"volume-opt=o=bind,ro\",consistency=cached"
        )
        var wanted = MountRequest(source: .volume(name: "db"), target: "/data")
        wanted.isReadOnly = true
        wanted.isNeverFilled = true
        wanted.subpath = "a/b"
        wanted.labels = [.init("x", "1"), .init("y", "")]
        wanted.driverOptions = [.init("type", "none"), .init("device", "/srv"), .init("o", "bind,ro")]
        #expect(request == wanted)
    }

    @Test func `a mount without a type or source is an anonymous volume`() throws {
        #expect(try mount("dst=/data") == MountRequest(source: .volume(name: nil), target: "/data"))
    }

    @Test func `a mount of a host path`() throws {
        var wanted = MountRequest(source: .bind(path: "/a,b", createsSource: false), target: "/data")
        wanted.propagation = "rslave"
        wanted.recursion = .disabled
        #expect(
            try mount(
                "type=bind,\"src=/a,b\",destination=/data,ro=false,bind-propagation=rslave,bind-nonrecursive")
                == wanted)
        #expect(
            try mount("type=bind,\"src=/a\"\"b\",dst=/d").source == .bind(path: "/a\"b", createsSource: false)
        )
        #expect(
            try mount("type=bind,src=./x,dst=/d,bind-create-src").source
                == .bind(path: "/home/me/x", createsSource: true))
        #expect(try mount("TYPE=bind,src=/x,dst=/d,ro,bind-recursive=readonly").recursion == .readOnly)
    }

    @Test func `a mount of a tmpfs`() throws {
        let request = try mount("type=tmpfs,target=/t,tmpfs-size=64m,tmpfs-mode=1770,readonly")
        #expect(request.source == .tmpfs && request.isReadOnly)
        #expect(request.options == ["nosuid", "nodev", "noexec", "size=67108864", "mode=1770"])
    }

    @Test(arguments: [
        ("", "it is empty"), ("type=bind,src=/a", "target is missing"),
        ("type=bind,dst=/a", "source is missing, which type=bind needs"),
        ("type=bind,src=a,dst=/d", "the path on the host is not absolute: \"a\""),
        ("type=bind,src=/a,dst=d", "the path in the container is not absolute: \"d\""),
        ("type=volume,src=/a,dst=/d", "\"/a\" cannot be the name of a volume"),
        ("type=tmpfs,src=a,dst=/d", "type=tmpfs has no source"),
        ("type=image,src=a,dst=/d", "type=image is not supported"),
        ("type=nfs,dst=/d", "unknown type \"nfs\""), ("foo=1,dst=/d", "unknown key \"foo\""),
        ("foo", "unknown key \"foo\""),
        ("type=bind,src=/a,dst=/d,volume-nocopy", "volume-nocopy does not go with type=bind"),
        ("dst=/d,tmpfs-size=1m", "tmpfs-size does not go with type=volume"),
        ("type=tmpfs,dst=/d,tmpfs-size=x", "tmpfs-size is a size such as 64m, not \"x\""),
        ("type=tmpfs,dst=/d,tmpfs-mode=999", "tmpfs-mode is an octal mode such as 1777, not \"999\""),
        ("type=tmpfs,dst=/d,tmpfs-size=9999999999t", "tmpfs-size is too large: \"9999999999t\""),
        ("dst=/d,readonly=maybe", "readonly is neither true nor false: \"maybe\""),
        ("dst=/d,volume-driver=nfs", "volume driver \"nfs\" is not supported"),
        (
            "type=bind,src=/a,dst=/d,bind-propagation=up",
            "bind-propagation must be one of private, rprivate, shared, rshared, slave, rslave, not \"up\""
        ),
        (
            "type=bind,src=/a,dst=/d,bind-recursive=readonly",
            "bind-recursive=writable and =readonly go with readonly"
        ),
        (
            "type=bind,src=/a,dst=/d,ro,bind-recursive=readonly,bind-propagation=shared",
            "bind-recursive=readonly goes with bind-propagation=rprivate"
        ),
        ("dst=/d,volume-subpath=../x", "the path in the volume is not below it: \"../x\""),
        ("dst=/d,volume-subpath=/x", "the path in the volume is not below it: \"/x\""),
        ("dst=/d,volume-opt=a", "volume-opt is of the form volume-opt=KEY=VALUE"),
        ("dst=/d,volume-opt=size=1", "the volume driver local has no option \"size\""),
        ("dst=/d,volume-label==x", "volume-label is of the form volume-label=KEY=VALUE"),
        ("dst=", "dst has no value"), ("dst", "dst has no value"),
        ("dst=/d,", "unknown key \"\""), ("\"dst=/d", "a quote without its end"),
        ("\"dst=/d\"x", "something after the closing quote of a field"),
        ("dst=/d\"x\"", "a quote inside of a field"),
        ("dst=/", "nothing can be mounted at \"/\" of the container"),
        (
            "dst=/d,volume-opt=type=tmpfs",
            "a volume with type=tmpfs is not supported: it would be another one in each container"
        ),
        ("dst=/d,volume-opt=type=nfs", "a volume of type \"nfs\" is not supported"),
        ("type=image,image-subpath=x,dst=/d", "image-subpath: images cannot be mounted"),
    ])
    func `bad --mount`(_ text: String, _ wanted: String) {
        #expect(message { () throws(Failure) in try mount(text) } == wanted)
    }

    @Test(arguments: [
        ("/run", ["nosuid", "nodev", "noexec"], false),
        ("/run:size=64m,mode=1777", ["nosuid", "nodev", "noexec", "size=64m", "mode=1777"], false),
        ("/run:exec,ro,uid=7,gid=8", ["nosuid", "nodev", "exec", "uid=7", "gid=8"], true),
        ("/run:size=1,size=50%", ["nosuid", "nodev", "noexec", "size=50%"], false),
        ("/run:suid,dev,nosuid", ["noexec", "dev", "nosuid"], false),
        ("/run:defaults,ro,rw", ["nosuid", "nodev", "noexec"], false),
    ])
    func `--tmpfs`(_ text: String, _ options: [String], _ readOnly: Bool) throws {
        let request = try MountRequest(tmpfs: text)
        #expect(request.source == .tmpfs && request.target == "/run")
        #expect(request.options == options)
        #expect(request.isReadOnly == readOnly)
    }

    @Test(arguments: [
        "", "run", "/", "/run:", "/run:foo", "/run:size=", "/run:size=x", "/run:mode=8", "/run:mode=17777",
        "/run:uid=-1", "/run:uid=4294967295", "/run:uid=+1",
        "/run:huge=always", "/run:size=1m,", "/run:context=x", "/run:source=/etc",
    ])
    func `bad --tmpfs`(_ text: String) {
        #expect(throws: Failure.self) { try MountRequest(tmpfs: text) }
    }

    @Test func `a target is mounted on once`() throws {
        let all = try MountRequest.all(
            volumes: ["db:/a", "/x:/b"], mounts: ["dst=/c"], tmpfs: ["/d"], workingDirectory: "/")
        #expect(all.map(\.target) == ["/a", "/b", "/c", "/d"])
        for (volumes, mounts, tmpfs) in [
            (["db:/a", "/x:/a/"], [], []), (["db:/a"], ["dst=/a"], []), ([], ["dst=/a"], ["/a/."]),
        ]
            as [([String], [String], [String])]
        {
            do throws(Failure) {
                _ = try MountRequest.all(
                    volumes: volumes, mounts: mounts, tmpfs: tmpfs, workingDirectory: "/")
                Issue.record("no failure")
            } catch {
                #expect(error.message.hasSuffix("flag: something else is mounted at /a already"))
            }
        }
        do throws(Failure) {
            _ = try MountRequest.all(volumes: ["x"], mounts: [], tmpfs: [], workingDirectory: "/")
            Issue.record("no failure")
        } catch {
            #expect(
                error.message
                    == "invalid argument \"x\" for \"-v, --volume\" flag: the path in the container is not absolute: \"x\""
            )
        }
    }
}
