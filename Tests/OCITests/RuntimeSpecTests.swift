import Failure
import Foundation
import OCI
import Testing

/// The schemas' checker lies beside the checkout where the project is developed, and nowhere else.
private let validator: String? = {
    let checkout = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../..")
    return ["../shared/validate-oci", "../../shared/validate-oci"]
        .map { checkout.appending(path: $0).standardizedFileURL.path }
        .first(where: FileManager.default.isExecutableFile(atPath:))
}()

@Suite struct RuntimeSpecTests {
    /// Every field that the specification has for Linux.
    static let whole = #"""
        {"ociVersion":"1.3.0","hostname":"h","domainname":"d","annotations":{"a":"b"},
         "root":{"path":"rootfs","readonly":true},
         "process":{"terminal":true,"consoleSize":{"height":24,"width":80},"cwd":"/w","args":["sh","-c","x"],
          "env":["A=b"],"user":{"uid":1,"gid":2,"umask":18,"additionalGids":[3,4294967294]},
          "capabilities":{"bounding":["CAP_CHOWN"],"effective":["CAP_CHOWN"],"permitted":["CAP_CHOWN"],
           "inheritable":[],"ambient":[]},
          "rlimits":[{"type":"RLIMIT_NOFILE","soft":1024,"hard":18446744073709551615}],
          "noNewPrivileges":true,"apparmorProfile":"p","selinuxLabel":"l","oomScoreAdj":-5,
          "scheduler":{"policy":"SCHED_DEADLINE","nice":1,"priority":2,"flags":["SCHED_FLAG_RESET_ON_FORK"],
           "runtime":3,"deadline":4,"period":5},
          "ioPriority":{"class":"IOPRIO_CLASS_BE","priority":4},"execCPUAffinity":{"initial":"0-3,7","final":"1"}},
         "mounts":[{"destination":"/proc","type":"proc","source":"proc","options":["nosuid"]},
          {"destination":"/m","type":"none","source":"/s","options":["bind","idmap"],
           "uidMappings":[{"containerID":0,"hostID":1000,"size":10}],
           "gidMappings":[{"containerID":0,"hostID":1000,"size":10}]}],
         "hooks":{"prestart":[{"path":"/a","args":["a"],"env":["B=c"],"timeout":5}],"createRuntime":[{"path":"/b"}],
          "createContainer":[{"path":"/c"}],"startContainer":[{"path":"/d"}],"poststart":[{"path":"/e"}],
          "poststop":[{"path":"/f"}]},
         "linux":{"uidMappings":[{"containerID":0,"hostID":100000,"size":65536}],
          "gidMappings":[{"containerID":0,"hostID":100000,"size":65536}],
          "timeOffsets":{"monotonic":{"secs":-1,"nanosecs":2},"boottime":{"secs":3}},
          "sysctl":{"net.core.somaxconn":"1"},"cgroupsPath":"/a/b",
          "namespaces":[{"type":"mount"},{"type":"pid"},{"type":"network","path":"/proc/1/ns/net"},{"type":"uts"},
           {"type":"ipc"},{"type":"user"},{"type":"cgroup"},{"type":"time"}],
          "netDevices":{"eth0":{"name":"c0"},"eth1":{}},
          "devices":[{"type":"c","path":"/dev/fuse","major":10,"minor":229,"fileMode":438,"uid":0,"gid":0},
           {"type":"p","path":"/dev/f"}],
          "seccomp":{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":1,"architectures":["SCMP_ARCH_X86_64"],
           "flags":["SECCOMP_FILTER_FLAG_LOG"],"listenerPath":"/s","listenerMetadata":"m",
           "syscalls":[{"names":["read"],"action":"SCMP_ACT_NOTIFY"},
            {"names":["write"],"action":"SCMP_ACT_ERRNO","errnoRet":2,
            "args":[{"index":5,"value":18446744073709551615,"valueTwo":1,"op":"SCMP_CMP_MASKED_EQ"}]}]},
          "rootfsPropagation":"slave","maskedPaths":["/proc/kcore"],"readonlyPaths":["/proc/sys"],"mountLabel":"m",
          "intelRdt":{"closID":"c","schemata":["L3:0=f"],"l3CacheSchema":"L3:0=f","memBwSchema":"MB:0=20",
           "enableMonitoring":true},
          "memoryPolicy":{"mode":"MPOL_BIND","nodes":"0","flags":["MPOL_F_STATIC_NODES"]},
          "personality":{"domain":"LINUX32","flags":[]},
          "resources":{"unified":{"memory.high":"1"},
           "devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":1,"minor":3,"access":"rw"}],
           "pids":{"limit":-1},
           "memory":{"limit":1,"reservation":2,"swap":-1,"kernel":3,"kernelTCP":4,"swappiness":5,
            "disableOOMKiller":true,"useHierarchy":true,"checkBeforeUpdate":true},
           "cpu":{"shares":1,"quota":-1,"burst":2,"period":3,"realtimeRuntime":4,"realtimePeriod":5,"cpus":"0",
            "mems":"0","idle":1},
           "blockIO":{"weight":10,"leafWeight":11,
            "weightDevice":[{"major":8,"minor":0,"weight":1,"leafWeight":2}],
            "throttleReadBpsDevice":[{"major":8,"minor":0,"rate":1}],
            "throttleWriteBpsDevice":[{"major":8,"minor":0,"rate":2}],
            "throttleReadIOPSDevice":[{"major":8,"minor":0,"rate":3}],
            "throttleWriteIOPSDevice":[{"major":8,"minor":0,"rate":4}]},
           "hugepageLimits":[{"pageSize":"2MB","limit":18446744073709551615}],
           "network":{"classID":1,"priorities":[{"name":"eth0","priority":2}]},
           "rdma":{"mlx":{"hcaHandles":1,"hcaObjects":2}}}}}
        """#

    /// Nothing that the document says may be lost on the way through the values.
    @Test func everyFieldSurvives() throws {
        let spec = try RuntimeSpec(bytes: Array(Self.whole.utf8))
        let encoded = try JSON.encode(spec)
        let before = try JSONSerialization.jsonObject(with: Data(Self.whole.utf8)) as? NSDictionary
        let after = try JSONSerialization.jsonObject(with: Data(encoded)) as? NSDictionary
        #expect(before != nil && before == after)
        #expect(try RuntimeSpec(bytes: encoded) == spec)
        #expect(spec.linux?.resources?.hugepageLimits?.first?.limit == .max)
    }

    @Test func smallest() throws {
        let spec = RuntimeSpec(root: .init(path: "rootfs"))
        #expect(text(try JSON.encode(spec)) == #"{"ociVersion":"1.3.0","root":{"path":"rootfs"}}"#)
        try spec.check()
    }

    /// SemVer 2.0.0.
    @Test(arguments: ["1.0.0", "1.0.2-dev", "1.2.0-rc.1+x-y.007", "1.99.0", "1.0.0-0a.-"])
    func versions(_ version: String) throws {
        var spec = RuntimeSpec(root: .init(path: "rootfs"))
        spec.ociVersion = version
        try spec.check()
    }

    /// "Runtimes MUST ignore consoleSize if terminal is false or unset."
    @Test func consoleSizeWithoutATerminal() throws {
        let document = #"""
            {"ociVersion":"1.3.0","root":{"path":"r"},"process":{"cwd":"/","args":["a"],"consoleSize":{"height":-1}}}
            """#
        #expect(try RuntimeSpec(bytes: Array(document.utf8)).process?.consoleSize == nil)
    }

    @Test func unknownAndNullFields() throws {
        let document = #"""
            {"ociVersion":"1.0.2-dev","new":{"x":[1]},"root":{"path":"r","later":1},"mounts":null,"hooks":null,
             "windows":{"layerFolders":[]},"linux":{"resources":null,"namespaces":null,"maskedPaths":null},
             "process":{"cwd":"/","args":["a"],"capabilities":null,"user":{"uid":0,"gid":0,"username":"x"}}}
            """#
        let spec = try RuntimeSpec(bytes: Array(document.utf8))
        #expect(spec.mounts == nil)
        #expect(spec.process?.user?.uid == 0)
    }

    static let refused: [(String, String, String)] = [
        (#""ociVersion":"1.3.0","#, "", "ociVersion: missing"),
        (#""ociVersion":"1.3.0""#, #""ociVersion":"2.0.0""#, "not supported"),
        (#""ociVersion":"1.3.0""#, #""ociVersion":"1""#, "ociVersion"),
        (#""ociVersion":"1.3.0""#, #""ociVersion":"1.x.0""#, "ociVersion"),
        (#""ociVersion":"1.3.0""#, #""ociVersion":"1.03.0""#, "ociVersion"),
        (#""hcaHandles":1,"hcaObjects":2"#, "", "linux.resources.rdma.mlx"),
        (#""minor":0,"weight":1,"leafWeight":2"#, #""minor":0"#, "linux.resources.blockIO.weightDevice.0"),
        (#""minor":0,"rate":1"#, #""minor":0"#, "throttleReadBpsDevice.0.rate"),
        (#""swappiness":"#, #""swappiness":10"#, "memory.swappiness"),
        (#""ociVersion":"1.3.0""#, #""ociVersion":"1.3.0-""#, "ociVersion"),
        (#""ociVersion":"1.3.0""#, #""ociVersion":"1.3.0-rc.01""#, "ociVersion"),
        (#""ociVersion":"1.3.0""#, #""ociVersion":"1.3.0-rc_1""#, "ociVersion"),
        (#""ociVersion":"1.3.0""#, #""ociVersion":"1.3.0+a..b""#, "ociVersion"),
        (
            #""uidMappings":[{"containerID":0,"hostID":100000,"size":65536}]"#, #""uidMappings":[]"#,
            "needs uidMappings"
        ),
        (#""root":{"path":"rootfs","readonly":true},"#, "", "root: missing"),
        (#""path":"rootfs""#, #""path":"""#, "root.path: is empty"),
        (#""cwd":"/w""#, #""cwd":"w""#, "process.cwd: \"w\" is not an absolute path"),
        (#""cwd":"/w","#, "", "process.cwd: missing"),
        (#"["sh","-c","x"]"#, "[]", "process.args: is empty"),
        (#"["sh","-c","x"]"#, #"["sh","a\u0000b"]"#, "process.args.1"),
        (#""env":["A=b"]"#, #""env":["A=\u0000"]"#, "process.env.0"),
        (#""umask":18"#, #""umask":512"#, "umask"),
        (#""soft":1024,"hard":18446744073709551615"#, #""soft":2,"hard":1"#, "soft 2 is above hard 1"),
        (#""RLIMIT_NOFILE""#, #""NOFILE""#, "rlimits.0.type"),
        (
            #"{"type":"RLIMIT_NOFILE","#,
            #"{"type":"RLIMIT_NOFILE","soft":1,"hard":1},{"type":"RLIMIT_NOFILE","#, "twice"
        ),
        (#""oomScoreAdj":-5"#, #""oomScoreAdj":-1001"#, "oomScoreAdj"),
        (#""SCHED_DEADLINE""#, #""SCHED_X""#, "process.scheduler.policy"),
        (#""priority":4}"#, #""priority":8}"#, "ioPriority.priority"),
        (#""0-3,7""#, #""0;3""#, "execCPUAffinity.initial"),
        (#"{"path":"/b"}"#, #"{"path":"b"}"#, "hooks.createRuntime.0.path"),
        (#""timeout":5"#, #""timeout":0"#, "hooks.prestart.0.timeout"),
        (#""destination":"/m""#, #""destination":"""#, "mounts.1.destination: is empty"),
        (#""hostID":1000,"size":10}],"#, #""hostID":1000,"size":0}],"#, "mounts.1.uidMappings.0.size"),
        (#"{"type":"uts"}"#, #"{"type":"pid"}"#, "pid is given twice"),
        (#"{"type":"uts"}"#, #"{"type":"what"}"#, "linux.namespaces.3.type"),
        (#"{"type":"uts"},"#, "", "uts namespace"),
        (#"{"type":"user"},"#, "", "user namespace"),
        (#",{"type":"time"}"#, "", "time namespace"),
        (#"{"type":"network","path":"/proc/1/ns/net"},"#, "", "network namespace"),
        (#""/proc/1/ns/net""#, #""ns/net""#, "namespaces.2.path"),
        (#""hostID":100000,"size":65536}"#, #""hostID":100000,"size":4294967295}"#, "beyond"),
        (
            #""uidMappings":[{"containerID":0,"hostID":100000,"size":65536}]"#,
            #""uidMappings":[{"containerID":0,"hostID":1,"size":2},{"containerID":1,"hostID":9,"size":1}]"#,
            "overlap at containerID 1"
        ),
        (
            #""uidMappings":[{"containerID":0,"hostID":100000,"size":65536}]"#,
            #""uidMappings":[{"containerID":0,"hostID":8,"size":2},{"containerID":5,"hostID":9,"size":1}]"#,
            "overlap at hostID 9"
        ),
        (#""major":10,"#, "", "linux.devices.0"),
        (#""path":"/dev/fuse""#, #""path":"fuse""#, "linux.devices.0.path"),
        (#""type":"c","major":1"#, #""type":"x","major":1"#, "resources.devices.1.type"),
        (#""access":"rw""#, #""access":"x""#, "resources.devices.1.access"),
        (#""memory.high""#, #""../x""#, "unified"), (#""memory.high""#, #""a/b""#, "unified"),
        (#""net.core.somaxconn""#, #""../../etc/x""#, "sysctl"),
        (#""slave""#, #""sideways""#, "rootfsPropagation"), (#""/proc/kcore""#, #""kcore""#, "maskedPaths.0"),
        (#""mode":"MPOL_BIND","#, "", "memoryPolicy.mode"),
        (#""domain":"LINUX32","#, "", "personality.domain"),
        (#""index":5"#, #""index":6"#, "args.0.index"),
        (#""action":"SCMP_ACT_ERRNO""#, #""action":"SCMP_ACT_ALLOW""#, "syscalls.1.errnoRet: SCMP_ACT_ALLOW"),
        (#""defaultAction":"SCMP_ACT_ERRNO""#, #""defaultAction":"SCMP_ACT_LOG""#, "seccomp.defaultErrnoRet"),
        (
            #""listenerPath":"/s","listenerMetadata":"m","#, #""listenerMetadata":"m","#,
            "listenerMetadata: there is no listenerPath"
        ),
        (#""names":["read"]"#, #""names":[]"#, "names: is empty"),
        (#""listenerPath":"/s","#, "", "listenerPath"),
        (#""shares":1"#, #""shares":-1"#, "linux.resources.cpu.shares: "),
    ]

    @Test(arguments: refused)
    func refuses(part: String, replacement: String, reason: String) {
        #expect(Self.whole.contains(part))
        let bytes = Array(Self.whole.replacing(part, with: replacement, maxReplacements: 1).utf8)
        let failed = failure(of: { try RuntimeSpec(bytes: bytes) })
        #expect(failed?.message.hasPrefix("config.json: ") == true)
        #expect(failed?.message.contains(reason) == true, "\(failed?.message ?? "")")
    }

    @Test func state() throws {
        let state = RuntimeState(id: "a", status: .created, pid: 7, bundle: "/b", annotations: ["x": "y"])
        #expect(
            text(try JSON.encode(state))
                == #"{"annotations":{"x":"y"},"bundle":"/b","id":"a","ociVersion":"1.3.0","pid":7,"status":"created"}"#
        )
        #expect(try RuntimeState(bytes: JSON.encode(state)) == state)
        #expect(
            failure(of: {
                try RuntimeState(
                    bytes: Array(#"{"ociVersion":"1.0.0","id":"a","status":"x","bundle":"/"}"#.utf8))
            }) != nil)
    }

    @Test(.enabled(if: validator != nil, "not run: the schemas' checker is not here"))
    func schemas() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "ctr-oci-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let spec = try RuntimeSpec(bytes: Array(Self.whole.utf8))
        try Data(try JSON.encode(spec)).write(to: directory.appending(path: "config.json"))
        #expect(try validate("bundle", directory.path))
        try Data(try JSON.encode(RuntimeState(id: "a", status: .running, pid: 7, bundle: "/b")))
            .write(to: directory.appending(path: "state.json"))
        #expect(try validate("state", directory.appending(path: "state.json").path))

        let config = try ImageConfig(bytes: Array(ImageConfigTests.docker.utf8))
        let blobs = directory.appending(path: "blobs/sha256")
        try FileManager.default.createDirectory(at: blobs, withIntermediateDirectories: true)
        func blob(_ value: some Encodable, _ type: String, _ start: String) throws -> Descriptor {
            let bytes = try JSON.encode(value)
            let name = try digest(start)
            try Data(bytes).write(to: directory.appending(path: ImageLayout.blobPath(name)))
            return Descriptor(mediaType: type, digest: name, size: Int64(bytes.count), platform: .host)
        }
        let configBlob = try blob(config, MediaType.config, "1")
        let layer = Descriptor(mediaType: MediaType.layerGzip, digest: try digest("2"), size: 1)
        let manifest = try blob(Manifest(config: configBlob, layers: [layer]), MediaType.manifest, "3")
        try Data(try JSON.encode(ImageIndex(manifests: [manifest]))).write(
            to: directory.appending(path: ImageLayout.indexFile))
        try Data(try JSON.encode(ImageLayout())).write(to: directory.appending(path: ImageLayout.markerFile))
        #expect(try validate("oci-layout", directory.path))
    }

    private func validate(_ kind: String, _ path: String) throws -> Bool {
        let process = Process()
        process.executableURL = URL(filePath: try #require(validator))
        process.arguments = [kind, path]
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
