import Failure
import Glibc
import LaunchPlan
import LinuxSystem

@testable import ContainerMonitor

/// A directory in memory with busybox in it, as a container's root. Nothing is left of it.
final class TestRoot {
    let path: String

    init() throws {
        path = "/dev/shm/ctr-launch-\(randomHex(bytes: 6))"
        try Directory.ensurePath(path + "/bin", mode: 0o755)
        for name in ["dev", "proc", "sys", "etc", "tmp"] {
            try Directory.make("\(path)/\(name)", mode: 0o755)
        }
        try file("/bin/busybox", AtomicFile.read("/bin/busybox") ?? [], mode: 0o755)
        for name in [
            "sh", "ls", "cat", "echo", "hostname", "true", "stat", "sleep", "id", "pwd", "head", "yes",
        ] {
            try Directory.symlink("busybox", at: "\(path)/bin/\(name)")
        }
    }

    deinit { try? Directory.removeTree(path) }

    func file(_ name: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws {
        let file = try FileDescriptor.open(path + name, [.writeOnly, .create, .truncate], mode: mode)
        try file.write(bytes)
        try file.changeMode(mode)
    }

    struct Result {
        var code: Int32
        var output: String
    }

    static let namespaces: UInt64 = 0x2c02_0000 | 0x4000_0000

    /// The steps that every container has, with a few in between.
    static func steps(
        _ arguments: [String], environment: [String] = ["PATH=/bin"], mounts: [Step] = [],
        process: [Step] = [],
        workingDirectory: Step = .workingDirectory("/", create: false)
    ) -> [Step] {
        [.newSession, .setPropagation(flags: 1 << 19), .attachRoot(0)] + mounts + [
            .hostname("box"), .standardStreams(1, 2, 3), .pivotRoot, workingDirectory,
        ] + process + [
            .closeDescriptors(keep: 0),
            .findProgram(name: arguments[0], searchPath: "/bin"),
            .execute(arguments: arguments, environment: environment),
        ]
    }

    static let proc = Step.mount(type: "proc", source: "proc", inRoot: "/proc", attributes: 0xe, options: [])

    func run(_ arguments: [String]) throws -> Result { try run(TestRoot.steps(arguments)) }

    /// Launches by the steps and waits for the end. Slots: 0 the root, 1 to 3 stdio.
    func run(_ steps: [Step], more: [SlotSource] = [], slots: [Int32] = []) throws -> Result {
        let plan = MonitorPlan(
            mode: .exec, containerID: "test",
            launch: LaunchPlan(
                namespaces: TestRoot.namespaces, cgroup: [], steps: steps,
                slots: [.root, .standardInput, .standardOutput, .standardError] + more))
        let mount = try DetachedMount(bind: path, recursive: false)
        let null = try FileDescriptor.open("/dev/null", [.readWrite])
        let output = try FileDescriptor.memory("output")
        let memory = try FileDescriptor.memory("plan")
        try memory.write(plan.encoded())
        let map = try MappedFile(memory.raw)
        let file = try PlanFile(map.bytes)
        var launcher = Launcher(
            map.bytes, file, try file.plan(withSteps: false).launch,
            slots: [mount.descriptor.raw, null.raw, output.raw, output.raw] + slots)
        let launched = try launcher.launch()
        let ended = try Process.reap(launched.pid)
        try output.seek(to: 0)
        return Result(
            code: Process.exitCode(ofStatus: ended?.status ?? -1),
            output: String(decoding: try output.readAll(limit: 1 << 20), as: UTF8.self))
    }
}
