import Failure
import OCI
import Testing

@Suite struct CDISpecTests {
    private static let whole = #"""
        {"cdiVersion":"1.1.0","kind":"v.com/c","annotations":{"a":"b"},
         "containerEdits":{"env":["ALL=1"]},
         "devices":[{"name":"d","annotations":{"c":"d"},"containerEdits":{
          "env":["A=b","B="],
          "deviceNodes":[{"path":"/dev/d","hostPath":"/dev/h","type":"c","major":1,"minor":3,"fileMode":384,
           "permissions":"rw","uid":5,"gid":6},{"path":"/dev/e"},{"path":"/dev/n","permissions":"none"}],
          "mounts":[{"hostPath":"/h","containerPath":"/c","type":"bind","options":["ro","rbind"]}],
          "hooks":[{"hookName":"createContainer","path":"/bin/h","args":["h","x"],"env":["C=d"],"timeout":3}],
          "additionalGids":[0,44],"netDevices":[{"hostInterfaceName":"eth1","name":"net0"}],
          "intelRdt":{"closID":"x","l3CacheSchema":"L3:0=f","memBwSchema":"MB:0=10","schemata":["L2:0=f"],
           "enableMonitoring":true}}}]}
        """#

    private func spec(_ text: String) throws -> CDISpec { try CDISpec(bytes: Array(text.utf8), as: "file") }

    private func device(_ edits: String, version: String = "1.1.0", name: String = "d") -> String {
        #"{"cdiVersion":"\#(version)","kind":"v.com/c","devices":[{"name":"\#(name)","containerEdits":\#(edits)}]}"#
    }

    @Test func `everything of a document is read`() throws {
        let spec = try spec(Self.whole)
        #expect(spec.kind == "v.com/c")
        #expect(spec.edits.environment == ["ALL=1"])
        #expect(spec.devices.map(\.name) == ["d"])
        let edits = spec.devices[0].edits
        #expect(edits.environment == ["A=b", "B="])
        #expect(edits.deviceNodes.map(\.path) == ["/dev/d", "/dev/e", "/dev/n"])
        #expect(edits.deviceNodes.map(\.permissions) == ["rw", "rwm", ""])
        let node = edits.deviceNodes[0]
        #expect(node.hostPath == "/dev/h" && node.type == .character && node.major == 1 && node.minor == 3)
        #expect(node.fileMode == 0o600 && node.uid == 5 && node.gid == 6)
        #expect(
            edits.mounts == [
                CDISpec.Mount(hostPath: "/h", containerPath: "/c", type: "bind", options: ["ro", "rbind"])
            ])
        #expect(edits.hooks.map(\.name) == [.createContainer])
        #expect(
            edits.hooks[0].hook
                == RuntimeSpec.Hook(path: "/bin/h", args: ["h", "x"], env: ["C=d"], timeout: 3))
        #expect(edits.additionalGIDs == [0, 44])
        #expect(edits.netDevices.map(\.hostName) == ["eth1"])
        #expect(edits.intelRdt?.schemata == ["L2:0=f"])
    }

    @Test(
        arguments: [
            (#"{"kind":"v/c","devices":[]}"#, "cdiVersion: missing"), (#"[]"#, "not an object"),
            ("{", "not valid JSON"),
            (#"{"cdiVersion":"0.2.0","kind":"v/c","devices":[{"name":"d"}]}"#, "0.3.0 to 1.x"),
            (#"{"cdiVersion":"2.0.0","kind":"v/c","devices":[{"name":"d"}]}"#, "0.3.0 to 1.x"),
            (#"{"cdiVersion":"0.6","kind":"v/c","devices":[{"name":"d"}]}"#, "0.3.0 to 1.x"),
            (#"{"cdiVersion":"0.6.0","kind":"v/c","devices":[]}"#, "devices: missing or empty"),
            (#"{"cdiVersion":"0.6.0","devices":[{"name":"d"}]}"#, "kind: missing"),
            (#"{"cdiVersion":"0.6.0","kind":"v/c","devices":[{}]}"#, "devices.0.name: missing"),
            (
                #"{"cdiVersion":"0.6.0","kind":"v/c","devices":[{"name":"d"}],"other":1}"#,
                "file: other: not known"
            ),
            (
                #"{"cdiVersion":"0.6.0","kind":"v/c","devices":[{"name":"d","x":1}]}"#,
                "devices.0.x: not known"
            ),
        ])
    func `what is no spec is refused`(_ text: String, _ says: String) throws {
        let failure = try #require(failure { try spec(text) })
        #expect(failure.message.contains(says), "\(failure.message)")
    }

    @Test(
        arguments: [
            (#"{"env":["A"]}"#, "NAME=VALUE"), (#"{"env":["=a"]}"#, "NAME=VALUE"),
            (#"{"envs":[]}"#, "envs: not known"),
            (#"{"deviceNodes":[{"path":"dev"}]}"#, "deviceNodes.0.path: \"dev\" is not an absolute path"),
            (#"{"deviceNodes":[{"path":"/d","type":"x"}]}"#, "type: \"x\" is not known"),
            (#"{"deviceNodes":[{"path":"/d","permissions":"rx"}]}"#, "not made of r, w and m"),
            (#"{"mounts":[{"containerPath":"/c"}]}"#, "hostPath: missing"),
            (#"{"mounts":[{"hostPath":"/c","containerPath":"c"}]}"#, "not an absolute path"),
            (#"{"hooks":[{"hookName":"later","path":"/h"}]}"#, "\"later\" is not known"),
            (#"{"hooks":[{"hookName":"poststop","path":"h"}]}"#, "not an absolute path"),
            (#"{"hooks":[{"hookName":"poststop","path":"/h","timeout":0}]}"#, "not above 0"),
            (#"{"additionalGids":[-1]}"#, "not a whole number"),
            (#"{"netDevices":[{"name":"x"}]}"#, "missing"),
        ])
    func `what is no edit is refused`(_ edits: String, _ says: String) throws {
        let failure = try #require(failure { try spec(device(edits)) })
        #expect(failure.message.contains(says), "\(failure.message)")
    }

    @Test(
        arguments: [
            (#"{"mounts":[{"hostPath":"/h","containerPath":"/c","type":"bind"}]}"#, "0.3.0", "0.4.0"),
            (#"{"deviceNodes":[{"path":"/d","hostPath":"/e"}]}"#, "0.4.0", "0.5.0"),
            (#"{"additionalGids":[1]}"#, "0.6.0", "0.7.0"), (#"{"intelRdt":{}}"#, "0.6.0", "0.7.0"),
            (#"{"netDevices":[{"hostInterfaceName":"a","name":"b"}]}"#, "1.0.0", "1.1.0"),
            (#"{"intelRdt":{"schemata":[]}}"#, "1.0.0", "1.1.0"),
        ])
    func `a version has what it has`(_ edits: String, _ before: String, _ since: String) throws {
        let failure = try #require(failure { try spec(device(edits, version: before)) })
        #expect(failure.message.contains("\(since) is the first"), "\(failure.message)")
        _ = try spec(device(edits, version: since))
        _ = try spec(device(edits, version: "v" + since))
    }

    @Test func `a version has the names it has`() throws {
        #expect(
            failure { try spec(device("{}", version: "0.4.0", name: "0")) }?.message.contains("0.5.0") == true
        )
        _ = try spec(device("{}", version: "0.5.0", name: "0"))
        let dotted = #"{"cdiVersion":"0.5.0","kind":"v.com/c.d","devices":[{"name":"x"}]}"#
        #expect(failure { try spec(dotted) }?.message.contains("0.6.0") == true)
        let noted = #"{"cdiVersion":"0.5.0","kind":"v/c","annotations":{},"devices":[{"name":"x"}]}"#
        #expect(failure { try spec(noted) }?.message.contains("0.6.0") == true)
    }

    @Test func `edits are made in a spec`() throws {
        var edits = CDISpec.Edits()
        edits.environment = ["A=new", "C=3"]
        edits.additionalGIDs = [0, 7, 44]
        edits.mounts = [
            CDISpec.Mount(hostPath: "/h/deep", containerPath: "/a/b/c", type: nil, options: ["ro"]),
            CDISpec.Mount(hostPath: "/h", containerPath: "/data", type: nil, options: ["bind"]),
            CDISpec.Mount(hostPath: "tmpfs", containerPath: "/t", type: "tmpfs", options: []),
        ]
        edits.netDevices = [CDISpec.NetDevice(hostName: "eth1", name: "net0")]
        edits.hooks = [
            CDISpec.Hook(name: .poststop, hook: RuntimeSpec.Hook(path: "/1")),
            CDISpec.Hook(name: .poststop, hook: RuntimeSpec.Hook(path: "/2")),
            CDISpec.Hook(name: .prestart, hook: RuntimeSpec.Hook(path: "/3")),
        ]
        var spec = RuntimeSpec(
            process: RuntimeSpec.Process(
                args: ["x"], env: ["A=old", "B=2"], cwd: "/",
                user: RuntimeSpec.User(uid: 1000, gid: 100, additionalGids: [7])),
            mounts: [
                RuntimeSpec.Mount(destination: "/proc", type: "proc"),
                RuntimeSpec.Mount(destination: "/data", type: "bind", source: "/other"),
            ])
        let nodes = [
            CDISpec.HostNode(
                device: RuntimeSpec.Device(type: .character, path: "/dev/a", major: 1, minor: 3, gid: 44),
                permissions: "rw"),
            CDISpec.HostNode(
                device: RuntimeSpec.Device(type: .block, path: "/dev/b", major: 8, minor: 0), permissions: ""),
        ]
        spec.apply(edits, nodes: nodes)
        #expect(spec.process?.env == ["A=new", "B=2", "C=3"])
        #expect(spec.process?.user?.additionalGids == [7, 44])
        #expect(spec.mounts?.map(\.destination) == ["/proc", "/data", "/t", "/a/b/c"])
        #expect(spec.mounts?.map(\.type) == ["proc", "bind", "tmpfs", "bind"])
        #expect(spec.mounts?.last?.options == ["ro", "rbind"])
        #expect(spec.mounts?[1].source == "/h")
        #expect(spec.hooks?.poststop?.map(\.path) == ["/1", "/2"])
        #expect(spec.hooks?.prestart?.map(\.path) == ["/3"])
        #expect(spec.linux?.netDevices?["eth1"]?.name == "net0")
        // Whom nothing else names is the process's user.
        #expect(spec.linux?.devices?.map(\.uid) == [1000, 1000])
        #expect(spec.linux?.devices?.map(\.gid) == [44, 100])
        #expect(
            spec.linux?.resources?.devices == [
                RuntimeSpec.DeviceRule(allow: true, type: "c", major: 1, minor: 3, access: "rw")
            ])
        #expect(failure { try spec.checkEdits() }?.message.contains("network of the container's own") == true)
        spec.linux?.namespaces = [RuntimeSpec.Namespace(.network)]
        try spec.checkEdits()
    }
}
