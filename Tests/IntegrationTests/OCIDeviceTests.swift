import Foundation
import Testing

/// config-linux.md, "Devices", and id-mapped mounts (config.md, "Mounts").
@Suite("oci: devices and mapped mounts", .needs())
struct OCIDeviceTests {
    @Test func defaultDevicesAndLinks() throws {
        try withBundle { box in
            let text = try box.prints(
                "cd /dev; for n in null zero full random urandom tty; do stat -c '%n %t:%T %a %u:%g %F' $n; done; for l in fd stdin stdout stderr ptmx; do echo $l $(readlink $l); done"
            )
            #expect(
                text == """
                    null 1:3 666 0:0 character special file
                    zero 1:5 666 0:0 character special file
                    full 1:7 666 0:0 character special file
                    random 1:8 666 0:0 character special file
                    urandom 1:9 666 0:0 character special file
                    tty 5:0 666 0:0 character special file
                    fd /proc/self/fd
                    stdin /proc/self/fd/0
                    stdout /proc/self/fd/1
                    stderr /proc/self/fd/2
                    ptmx pts/ptmx
                    """, "\(text)")
        }
    }

    /// runtime-linux.md, "Dev symbolic links": also where a root brings something else of these names.
    @Test func linksThatWereThere() throws {
        try withBundle { box in
            box.config["mounts"] = (box.config["mounts"] as? [[String: Any]] ?? []).filter {
                $0["destination"] as? String == "/proc"
            }
            let dev = box.rootfs + "/dev"
            mknod("\(dev)/ptmx", S_IFCHR | 0o666, 5 << 8 | 2)
            try "old".write(toFile: "\(dev)/stdin", atomically: false, encoding: .utf8)
            symlink("elsewhere", "\(dev)/fd")
            let text = try box.prints("for n in ptmx stdin fd; do readlink /dev/$n; done")
            #expect(text == "pts/ptmx\n/proc/self/fd/0\n/proc/self/fd", "\(text)")
        }
    }

    /// "The path MAY be anywhere in the container filesystem", also where /dev is the caller's own.
    @Test func devicesBesideAForeignDev() throws {
        try withBundle { box in
            let dev = try box.fixture.makeDirectory("dev")
            box.config.mount("/dev", dev, ["rbind"])
            box.config["linux.devices"] = [
                ["path": "/data/null", "type": "c", "major": 1, "minor": 3] as [String: Any],
                ["path": "/dev/nothing", "type": "c", "major": 1, "minor": 3] as [String: Any],
            ]
            #expect(try box.prints("stat -c %t:%T /data/null; ls /dev | wc -l") == "1:3\n0")
        }
    }

    @Test func theirOwnDevices() throws {
        try withBundle { box in
            box.config["linux.devices"] =
                [
                    [
                        "path": "/dev/fuse2", "type": "c", "major": 10, "minor": 229, "fileMode": 0o640,
                        "uid": 5, "gid": 6,
                    ],
                    ["path": "/dev/deep/disk", "type": "b", "major": 7, "minor": 3],
                    ["path": "/dev/pipe", "type": "p", "fileMode": 0o600],
                    ["path": "/dev/unbuffered", "type": "u", "major": 1, "minor": 3],
                    ["path": "/data/outside", "type": "c", "major": 1, "minor": 5, "fileMode": 0o444],
                    ["path": "/dev/zero", "type": "c", "major": 1, "minor": 5, "fileMode": 0o600, "uid": 1],
                ] as [[String: Any]]
            box.config["process.user"] = ["uid": 0, "gid": 0, "umask": 0o077]
            let text = try box.prints(
                "stat -c '%n %t:%T %a %u:%g' /dev/fuse2 /dev/deep/disk /dev/pipe /dev/unbuffered /data/outside /dev/zero; test -p /dev/pipe && test -b /dev/deep/disk && echo kinds"
            )
            #expect(
                text == """
                    /dev/fuse2 a:e5 640 5:6
                    /dev/deep/disk 7:3 666 0:0
                    /dev/pipe 0:0 600 0:0
                    /dev/unbuffered 1:3 666 0:0
                    /data/outside 1:5 444 0:0
                    /dev/zero 1:5 600 1:0
                    kinds
                    """, "\(text)")
            box.config["linux.devices"] = [
                ["path": "/dev/x", "type": "z", "major": 1, "minor": 1] as [String: Any]
            ]
            try box.refusesToCreate(says: ["devices"])
            box.config["linux.devices"] = [["path": "/dev/x", "type": "c"]]
            try box.refusesToCreate(says: ["/dev/x"])
        }
    }

    @Test func deviceRules() throws {
        try withBundle { box in
            box.config["linux.resources"] = [
                "devices": [
                    ["allow": false, "access": "rwm"],
                    ["allow": true, "type": "c", "major": 10, "minor": 229, "access": "rw"],
                ] as [[String: Any]]
            ]
            box.config["linux.devices"] =
                [
                    ["path": "/dev/fuse", "type": "c", "major": 10, "minor": 229],
                    ["path": "/dev/kmsg", "type": "c", "major": 1, "minor": 11],
                ] as [[String: Any]]
            // head opens it; what read answers then does not matter.
            let text = try box.prints(
                "(exec 5<>/dev/fuse) 2>/dev/null && echo fuse; (exec 5</dev/kmsg) 2>/dev/null || echo refused; echo x > /dev/null && echo null"
            )
            #expect(text == "fuse\nrefused\nnull", "\(text)")
        }
    }

    // MARK: Mapped ids

    private func owner(_ path: String) -> String {
        var status = stat()
        lstat(path, &status)
        return "\(status.st_uid):\(status.st_gid)"
    }

    /// On a tmpfs and on the file system of /var/tmp, whatever that is.
    private func places(_ box: RuntimeBundle) throws -> [String] {
        let other = "/var/tmp/ctr-test-\(box.mark)"
        mkdir(other, 0o755)
        box.fixture.onCleanUp { try? FileManager.default.removeItem(atPath: other) }
        return [try box.fixture.makeDirectory("source"), other]
    }

    @Test func idmapOfTheContainersOwnMappings() throws {
        try withBundle { box in
            for source in try places(box) {
                let good = box.config
                box.config.mapIDs(to: 100_000)
                chmod(source, 0o755)
                try "x\n".write(toFile: source + "/file", atomically: false, encoding: .utf8)
                chown(source + "/file", 7, 8)
                box.config.mount("/data", source, type: "bind", ["bind", "idmap"])
                #expect(
                    try box.prints("stat -c %u:%g /data /data/file; touch /data/made && echo ok")
                        == "0:0\n7:8\nok", "\(source)")
                // What it made is root's on the disk, not the mapped id's.
                #expect(owner(source + "/made") == "0:0")
                // Without the option it is nobody's.
                box.config = good
                box.config.mapIDs(to: 100_000)
                box.config.mount("/data", source, type: "bind", ["bind"])
                #expect(
                    try box.prints("stat -c %u:%g /data/file; touch /data/no 2>/dev/null || echo no")
                        == "65534:65534\nno")
                box.config = good
            }
        }
    }

    @Test func itsOwnMappings() throws {
        try withBundle { box in
            for source in try places(box) {
                let good = box.config
                try "x\n".write(toFile: source + "/file", atomically: false, encoding: .utf8)
                chown(source + "/file", 1000, 1000)
                let ids: [String: Any] = [
                    "uidMappings": [
                        ["containerID": 1000, "hostID": 5, "size": 1],
                        ["containerID": 0, "hostID": 0, "size": 1],
                    ],
                    "gidMappings": [
                        ["containerID": 1000, "hostID": 6, "size": 1],
                        ["containerID": 0, "hostID": 0, "size": 1],
                    ],
                ]
                // Without a user namespace of the container.
                box.config.mount("/data", source, type: "bind", ["bind"], more: ids)
                #expect(try box.prints("stat -c %u:%g /data/file") == "5:6", "\(source)")
                box.config["process.user"] = ["uid": 5, "gid": 6]
                #expect(try box.prints("echo y >> /data/file && echo ok") == "ok")
                box.config = good
            }
        }
    }

    @Test func idmapOfATree() throws {
        try withBundle { box in
            let source = try box.tree()
            chown(source + "/below/file", 7, 7)
            let good = box.config
            for (option, below) in [("idmap", "65534"), ("ridmap", "7")] {
                box.config = good
                box.config.mapIDs(to: 100_000)
                box.config.mount("/data", source, type: "bind", ["rbind", option])
                #expect(
                    try box.prints("stat -c %u /data; stat -c %u /data/below/file") == "0\n\(below)",
                    "\(option)")
            }
        }
    }

    @Test func mappingsThatCannotBe() throws {
        try withBundle { box in
            let source = try box.fixture.makeDirectory("source")
            let good = box.config
            box.config.mount("/data", source, type: "bind", ["bind", "idmap"])
            try box.refusesToCreate(says: ["/data", "idmap"])
            box.config = good
            box.config.mount("/data", "tmpfs", type: "tmpfs", ["idmap"])
            try box.refusesToCreate(says: ["/data"])
            box.config = good
            box.config.mount(
                "/data", source, type: "bind", ["bind"],
                more: ["uidMappings": [["containerID": 0, "hostID": 0, "size": 1]]])
            try box.refusesToCreate(says: ["gidMappings"])
        }
    }
}
