import Engine
import Failure
import Networks
import Testing

@Suite struct ContainerRecordTests {
    /// Every field of the settings set to something else than its default.
    static let full: ContainerSettings = {
        var settings = ContainerSettings()
        settings.workingDirectory = "workdir of\n two lines"
        settings.user = "user of\n two lines"
        settings.stopSignal = "stop-signal of\n two lines"
        settings.hostname = "hostname of\n two lines"
        settings.domainname = "domainname of\n two lines"
        settings.restart = "restart of\n two lines"
        settings.logDriver = "log-driver of\n two lines"
        settings.network = "network of\n two lines"
        settings.networking = networking
        settings.pid = "pid of\n two lines"
        settings.ipc = "ipc of\n two lines"
        settings.uts = "uts of\n two lines"
        settings.cgroupNamespace = "cgroupns of\n two lines"
        settings.userNamespace.mode = "auto"
        settings.userNamespace.uids = ["0 100000 65536", "65536 7 1"]
        settings.userNamespace.gids = ["0 100000 65536"]
        settings.userNamespace.container = "cafe"
        settings.userNamespace.copiesLayers = true
        settings.seccompProfile = "seccomp-profile of\n two lines"
        settings.cpusetCPUs = "cpuset-cpus of\n two lines"
        settings.cpusetMems = "cpuset-mems of\n two lines"
        settings.entrypoint = ["entrypoint", "back\\slash", ""]
        settings.command = ["command", "back\\slash", ""]
        settings.environment = ["env", "back\\slash", ""]
        settings.groupAdd = ["group-add", "back\\slash", ""]
        settings.ulimits = ["ulimit", "back\\slash", ""]
        settings.labels = ["label", "back\\slash", ""]
        settings.annotations = ["annotation", "back\\slash", ""]
        settings.extraHosts = ["add-host", "back\\slash", ""]
        settings.logOptions = ["log-opt", "back\\slash", ""]
        settings.capAdd = ["cap-add", "back\\slash", ""]
        settings.capDrop = ["cap-drop", "back\\slash", ""]
        settings.processLabel = "u:r:t:s0:c1,c2"
        settings.mountLabel = "u:object_r:t:s0:c1,c2"
        settings.securityOptions = ["security-opt", "back\\slash", ""]
        settings.sysctls = ["sysctl", "back\\slash", ""]
        settings.devices = ["device", "back\\slash", ""]
        settings.deviceSpecDirectories = ["/etc/cdi", "back\\slash", ""]
        settings.mounts = ["mount", "back\\slash", ""]
        settings.life.health.test = ["CMD-SHELL", "back\\slash"]
        settings.life.health.shell = ["/bin/bash", "-c"]
        settings.life.health.interval = 21
        settings.life.health.timeout = 22
        settings.life.health.startPeriod = 23
        settings.life.health.startInterval = 24
        settings.life.health.retries = 25
        settings.life.health.onFailure = "restart"
        settings.life.lifetime = 26
        settings.life.requires = ["a", "b"]
        settings.life.secrets = ["one\tmount\t/run/secrets/one\t0\t0\t444"]
        settings.life.removesImage = true
        settings.life.rootDirectory = "/srv/root"
        settings.stopTimeout = 1
        settings.oomScoreAdjustment = 2
        settings.memory = 3
        settings.memorySwap = 4
        settings.memoryReservation = 5
        settings.nanoCPUs = 6
        settings.cpuShares = 7
        settings.cpuPeriod = 8
        settings.cpuQuota = 9
        settings.pidsLimit = 10
        settings.shmSize = 11
        settings.memorySwappiness = 12
        settings.cpuRealtimePeriod = 13
        settings.cpuRealtimeRuntime = 14
        settings.blkioWeight = 15
        settings.oomKillDisable = true
        settings.blkioWeightDevices = ["blkio-weight-device", "back\\slash", ""]
        settings.deviceReadBps = ["device-read-bps", "back\\slash", ""]
        settings.deviceWriteBps = ["device-write-bps", "back\\slash", ""]
        settings.deviceReadIOPS = ["device-read-iops", "back\\slash", ""]
        settings.deviceWriteIOPS = ["device-write-iops", "back\\slash", ""]
        settings.deviceRules = ["device-rule", "back\\slash", ""]
        settings.cgroupParent = "cgroup-parent of\n two lines"
        settings.terminal = true
        settings.openStdin = true
        settings.initProcess = true
        settings.autoRemove = true
        settings.detached = true
        settings.privileged = true
        settings.readOnly = true
        return settings
    }()

    /// Two networks, of which the second has everything.
    static let networking: NetworkSettings = {
        var settings = NetworkSettings()
        var second = NetworkAttachment("back\\slash\nend")
        second.aliases = ["web", "two\nlines"]
        second.addresses = [IPAddress("10.1.0.5"), IPAddress("fd00::5")].compactMap { $0 }
        second.mac = MACAddress("02:42:0a:01:00:05")
        second.linkLocal = [IPAddress("169.254.7.7")].compactMap { $0 }
        second.interface = "uplink"
        settings.attachments = [NetworkAttachment("bridge"), second]
        settings.ports =
            [
                "80", "8080:80/udp", "127.0.0.1:1000-1002:2000-2002", "[::1]:53:53/sctp",
                "90:90~web:source-hash",
            ]
            .compactMap { try? PortRequest(parsing: $0) }
        settings.publishesAll = true
        settings.exposed = ["80/tcp", "9000-9010/udp"].compactMap { try? ExposedPorts(parsing: $0) }
        settings.dns = ["192.0.2.53", "2001:db8::53"]
        settings.dnsSearch = ["example.org", "."]
        settings.dnsOptions = ["ndots:2"]
        return settings
    }()

    private func record(_ settings: ContainerSettings) -> ContainerRecord {
        var record = ContainerRecord(
            id: "cafe", created: 17, image: "redis:7", imageID: "sha256:1", manifestDigest: "sha256:2",
            layers: ["a", "b"], platform: "linux/amd64", settings: settings)
        record.name = "cache"
        record.anonymousVolumes = ["v1", "v2"]
        return record
    }

    @Test func allFieldsAreKept() throws {
        let whole = record(Self.full)
        #expect(try ContainerRecord(parsing: whole.bytes, id: "cafe") == whole)
        let empty = record(ContainerSettings())
        #expect(try ContainerRecord(parsing: empty.bytes, id: "cafe") == empty)
    }

    /// A new field that nobody put into `full` is found here.
    @Test func theFullSettingsDifferInEveryField() {
        func compare(_ full: Any, _ plain: Any) {
            for (full, plain) in zip(Mirror(reflecting: full).children, Mirror(reflecting: plain).children) {
                #expect("\(full.value)" != "\(plain.value)", "\(full.label ?? "?") is not set")
            }
        }
        compare(Self.full, ContainerSettings())
        compare(Self.full.userNamespace, UserNamespaceSettings())
        compare(Self.full.networking, NetworkSettings())
        compare(Self.networking.attachments[1], NetworkAttachment(""))
        #expect(Self.networking.ports.count == 5 && Self.networking.exposed.count == 2)
        compare(Self.full.life, LifeSettings())
        compare(Self.full.life.health, HealthSettings())
    }

    @Test func aRecordWithoutItsImageIsDamaged() {
        let text = "ctr-container 1\nname cache\nimage-id sha256:1\nmanifest sha256:2\n"
        let failed = failure { _ = try ContainerRecord(parsing: Array(text.utf8), id: "cafe") }
        #expect(failed?.code == .dataLoss)
        #expect(failed?.message == "container cafe's record has no image")
    }

    @Test func aRootDirectoryNeedsNoImage() throws {
        let text = "ctr-container 1\nname cache\nimage /srv\nroot-directory /srv\n"
        let record = try ContainerRecord(parsing: Array(text.utf8), id: "cafe")
        #expect(record.settings.life.rootDirectory == "/srv")
    }
}
