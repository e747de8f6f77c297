import Failure
import LaunchPlan
import LinuxSystem
import Testing

@testable import ContainerMonitor

extension ProcessTests {
    /// Images whose directories are links to where they should not lead.
    @Suite struct HostileRootTests {
        private let root: TestRoot
        private let canary: Canary

        /// A directory of the host that must stay as it is.
        private final class Canary {
            let path = "/tmp/ctr-canary-\(randomHex(bytes: 6))"
            init() throws { try Directory.make(path) }
            deinit { try? Directory.removeTree(path) }
            var isUntouched: Bool {
                get throws { try Directory.names(in: try Directory.open(path)).isEmpty }
            }
        }

        init() throws {
            root = try TestRoot()
            canary = try Canary()
        }

        private func replace(_ name: String, byLinkTo target: String) throws {
            try Directory.removeTree(root.path + name)
            try Directory.symlink(target, at: root.path + name)
        }

        private func run(_ script: String, _ mounts: [Step]) throws -> TestRoot.Result {
            try root.run(TestRoot.steps(["/bin/sh", "-c", script], mounts: mounts))
        }

        /// CVE-2026-41579, CVE-2026-47766: /dev is a link; what is made there is made inside.
        @Test func devIsALink() throws {
            try replace("/dev", byLinkTo: canary.path)
            let result = try run(
                "stat -c %t:%T /dev/null; ls \(canary.path)",
                [
                    .mount(
                        type: "tmpfs", source: "tmpfs", inRoot: "/dev", attributes: 2,
                        options: [MountOption("mode", "755")]),
                    .makeDevice(inRoot: "/dev/null", mode: 0o020666, major: 1, minor: 3, uid: 0, gid: 0),
                    .symlink(target: "/proc/self/fd", inRoot: "/dev/fd"),
                    .makeDirectory(inRoot: "/dev/pts", mode: 0o755),
                ])
            #expect(result.output == "1:3\nfd\nnull\npts\n")
            #expect(try canary.isUntouched)
        }

        @Test func devLinksUpwards() throws {
            try replace("/dev", byLinkTo: "../../../../../..\(canary.path)")
            _ = try run(
                "true",
                [.makeDevice(inRoot: "/dev/null", mode: 0o020666, major: 1, minor: 3, uid: 0, gid: 0)])
            #expect(try canary.isUntouched)
        }

        /// CVE-2019-19921, CVE-2019-16884: procfs and sysfs go to directories only.
        @Test func procAndSysAreLinks() throws {
            for (name, type) in [("/proc", "proc"), ("/sys", "sysfs")] {
                try replace(name, byLinkTo: "/etc")
                let failure = #expect(throws: LaunchFailure.self) {
                    try run(
                        "true", [.mount(type: type, source: type, inRoot: name, attributes: 0xe, options: [])]
                    )
                }
                #expect(failure?.exitCode == 125)
                #expect(
                    failure?.failure.message.hasPrefix(
                        "mount \(type) at \(name): a symbolic link in the image stands in its place") == true)
            }
        }

        /// A volume whose place is a link into /proc would lay files of its own there.
        @Test func volumeIntoProc() throws {
            try Directory.symlink("/proc", at: "\(root.path)/data")
            let failure = #expect(throws: LaunchFailure.self) {
                try run(
                    "true",
                    [
                        TestRoot.proc,
                        .mount(type: "tmpfs", source: "tmpfs", inRoot: "/data", attributes: 0, options: []),
                    ])
            }
            #expect(failure?.failure.message.hasPrefix("mount tmpfs at /data: ") == true)
        }

        /// CVE-2021-30465, CVE-2024-45310: the place of a mount is found and made inside.
        @Test func mountTargetsStayInside() throws {
            try Directory.symlink(canary.path, at: "\(root.path)/absolute")
            try Directory.symlink("../../../..\(canary.path)/deep/er", at: "\(root.path)/dangling")
            let mounts = ["/absolute/a/b", "/dangling", "/../../..\(canary.path)/c"].map {
                Step.mount(type: "tmpfs", source: "tmpfs", inRoot: $0, attributes: 0, options: [])
            }
            #expect(try run("ls \(canary.path)", mounts).output == "a\nc\ndeep\n")
            #expect(try canary.isUntouched)
        }

        @Test func linksInACircle() throws {
            try Directory.symlink("two", at: "\(root.path)/one")
            try Directory.symlink("one", at: "\(root.path)/two")
            let failure = #expect(throws: LaunchFailure.self) {
                try run(
                    "true",
                    [.mount(type: "tmpfs", source: "tmpfs", inRoot: "/one", attributes: 0, options: [])])
            }
            #expect(failure?.failure.message.contains("too many levels of symbolic links") == true)
        }

        /// CVE-2025-52565: the terminal does not come from a path of the image's.
        @Test func terminalWithoutDevpts() throws {
            try Directory.make("\(root.path)/dev/pts", mode: 0o755)
            try Directory.symlink("/tmp/evil", at: "\(root.path)/dev/pts/ptmx")
            var steps = TestRoot.steps(["/bin/sh"], mounts: [.terminal(1, rows: 0, columns: 0)])
            steps.removeAll { if case .standardStreams = $0 { true } else { false } }
            let failure = #expect(throws: LaunchFailure.self) { try root.run(steps) }
            #expect(
                failure?.failure.message.hasPrefix("make the terminal: /dev/pts in the container") == true)
        }

        @Test func failureNamesTheVolume() throws {
            let source = try DetachedMount(bind: canary.path, recursive: false)
            try root.file("/data", [])
            let failure = #expect(throws: LaunchFailure.self) {
                try root.run(
                    TestRoot.steps(
                        ["/bin/sh"], mounts: [.attachMount(4, inRoot: "/data", isDirectory: true)]),
                    more: [
                        .bind(
                            path: "/var/lib/ctr/volumes/db/data", recursive: false,
                            attributes: AttributeChange())
                    ], slots: [source.descriptor.raw])
            }
            #expect(
                failure?.failure.message
                    == "mount volume db at /data: the place in the image: not a directory")
        }

        @Test func aVolumeAndAnOption() throws {
            let source = try DetachedMount(bind: canary.path, recursive: false)
            let result = try root.run(
                TestRoot.steps(
                    ["/bin/sh", "-c", "echo kept > /data/x/file"],
                    mounts: [.attachMount(4, inRoot: "/data/x", isDirectory: true, propagation: 1 << 18)]),
                more: [.file(path: "")], slots: [source.descriptor.raw])
            #expect(result.code == 0)
            #expect(try AtomicFile.read("\(canary.path)/file") == Array("kept\n".utf8))
            let failure = #expect(throws: LaunchFailure.self) {
                try run(
                    "true",
                    [
                        .mount(
                            type: "tmpfs", source: "t", inRoot: "/tmp", attributes: 0,
                            options: [MountOption("size", "1m"), MountOption("nosuch", "1")])
                    ])
            }
            #expect(failure?.failure.message == "mount tmpfs at /tmp: option nosuch: invalid argument")
        }
    }
}
