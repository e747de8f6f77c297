// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A room of the house; what it may import is drawn in docs/architecture.md and held by Tests/ArchitectureTests.
func room(
    _ name: String, _ dependencies: [Target.Dependency] = [], linked: [LinkerSetting] = []
) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict, linkerSettings: linked)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// Static archives by their file names: a `link` line or pkgConfig would choose the shared libraries.
func archives(_ names: String...) -> [LinkerSetting] {
    names.map { .linkedLibrary(":lib\($0).a") }
}

/// The unwinder would sort all frame tables of a static executable at the first exit of a thread: CStaticUnwind.
/// What a start runs lies side by side: scripts/link-order.
let staticExecutable: [LinkerSetting] = [
    .unsafeFlags([
        "-use-ld=lld", "-static-executable", "-Xlinker", "--eh-frame-hdr", "-Xlinker", "--gc-sections",
        "-Xlinker", "--wrap=__register_frame_info",
        "-Xlinker", "--wrap=__deregister_frame_info",
        "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/scripts/link-order.txt",
        "-Xlinker", "--no-warn-symbol-ordering",
    ])
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let http: [Target.Dependency] = [
    .product(name: "AsyncHTTPClient", package: "async-http-client"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOHTTP1", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
    .product(name: "NIOSSL", package: "swift-nio-ssl"),
]

let targets: [Target] = [
    // What glibc's Swift module lacks, and the child's executor of a launch plan.
    .target(name: "CLinux"),
    .target(name: "CContainerInit"),
    // No-ops that keep a static executable from sorting its unwind tables at start-up.
    .target(name: "CStaticUnwind"),
    .systemLibrary(name: "CLibArchive"),
    .systemLibrary(name: "CISAL"),
    .systemLibrary(name: "CZlib"),
    .systemLibrary(name: "CZstd"),
    .systemLibrary(name: "CSeccomp"),
    .systemLibrary(name: "CYAML"),

    room("Failure"),
    room("CivilTime"),
    room("LinuxSystem", ["CLinux", "Failure"]),
    room("OCI", ["Failure", crypto]),
    room("LaunchPlan", ["LinuxSystem", "Failure"]),
    room("EventJournal", ["LinuxSystem"]),
    room(
        "ContainerMonitor",
        [
            "NameService", "Networks", "LaunchPlan", "EventJournal", "LinuxSystem", "CivilTime",
            "CContainerInit", "Failure",
        ]),
    room(
        "Archive", ["LinuxSystem", "Failure", "CLibArchive", "CISAL", "CZlib", "CZstd"],
        linked: archives("archive", "nettle", "acl", "lzma", "zstd", "lz4", "bz2", "z")
            + [.linkedLibrary("isal")]),
    room("ImageStore", ["OCI", "LinuxSystem", "Failure"]),
    room("ImageArchive", ["ImageStore", "OCI", "LinuxSystem", "Archive", "Failure"]),
    room("RegistryClient", ["OCI", "CivilTime", "Failure"] + http),
    room("OverlayFS", ["OCI", "LinuxSystem", "Failure"]),
    room("Layers", ["OverlayFS", "OCI", "LinuxSystem", "Archive", "Failure"]),
    room(
        "Runtime", ["OCI", "LaunchPlan", "LinuxSystem", "Failure", "CSeccomp"],
        linked: archives("seccomp")),
    // The command line of other OCI runtimes, for engines that call one.
    room(
        "OCIRuntime",
        [
            "OCI", "Runtime", "Rootless", "LaunchPlan", "ContainerMonitor", "LinuxSystem", "CivilTime",
            "Failure",
        ]),
    // Specs of devices are often YAML.
    room("YAML", ["Failure", "CYAML"], linked: archives("yaml")),
    // An ordinary user's namespaces.
    room("Rootless", ["Networks", "LinuxSystem", "Failure"]),
    // What ails a host.
    room("Doctor", ["Rootless", "Networks", "Runtime", "LinuxSystem", "Failure"]),
    room("Volumes", ["LinuxSystem", "Failure"]),
    // Bridges, addresses and rules of the kernel.
    room("Networks", ["LinuxSystem", "Failure"]),
    // A container's DNS server; linked into the monitor.
    room("NameService", ["Networks", "LinuxSystem", "Failure"]),
    room("Dockerfile", ["Failure"]),
    room("BuildContext", ["Dockerfile", "Layers", "OCI", "LinuxSystem", "Archive", "Failure"]),
    room(
        "Engine",
        [
            "OCI", "LinuxSystem", "LaunchPlan", "EventJournal", "ContainerMonitor", "ImageStore", "OverlayFS",
            "Runtime", "Volumes", "Rootless", "Networks", "NameService", "YAML",
            "CommandTable", "CivilTime", "Failure",
        ]),
    room(
        "Transfers",
        [
            "Engine", "OCI", "LinuxSystem", "Archive", "ImageStore", "ImageArchive", "RegistryClient",
            "OverlayFS",
            "Layers", "Volumes", "CommandTable", "Dockerfile", "Failure",
        ]),
    room(
        "Build",
        [
            "Transfers", "Engine", "Dockerfile", "BuildContext", "OCI", "LinuxSystem", "Archive",
            "ImageStore", "OverlayFS", "Layers", "Failure",
        ]),
    // The one table of verbs and flags: parsing, help, completion, the man page and docs/cli.md come from it.
    room("CommandTable", ["CivilTime", "Failure"]),
    // How a build looks; pure, so that tests can import it.
    room("BuildScreen", ["CommandTable"]),
    // What the programs share between the words and the exit code.
    room("Front", ["Engine", "Rootless", "CommandTable", "LinuxSystem", "Failure"]),
    // Every start of a container pays for the start of this program: a static executable without archives
    // and registries.
    .executableTarget(
        name: "ctr",
        dependencies: [
            "Front", "Engine", "Networks", "OCIRuntime", "EventJournal", "Doctor", "OCI", "CommandTable",
            "LinuxSystem", "CivilTime", "Failure",
            "CStaticUnwind",
        ],
        swiftSettings: strict,
        // A debug build does not name what FoundationEssentials is made of.
        linkerSettings: staticExecutable + [
            .linkedLibrary("_FoundationCollections"), .linkedLibrary("_FoundationCShims"),
        ]),
    // Everything that moves images and files in and out; ctr becomes it for its verbs. Position-independent: a root
    // program that parses strangers' bytes.
    .executableTarget(
        name: "ctr-transfer",
        dependencies: [
            "Front", "Build", "BuildContext", "BuildScreen", "Dockerfile", "Transfers", "Engine", "OCI",
            "CommandTable",
            "LinuxSystem", "Failure",
        ],
        swiftSettings: strict,
        linkerSettings: [
            .unsafeFlags([
                "-use-ld=lld", "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
                "-Xlinker", "--gc-sections", "-Xclang-linker", "-static-libgcc",
            ])
        ]),
    .executableTarget(
        name: "ctr-monitor", dependencies: ["ContainerMonitor", "CStaticUnwind"],
        swiftSettings: strict, linkerSettings: staticExecutable),

    tests("CivilTimeTests", ["CivilTime"]),
    tests("DoctorTests", ["Doctor", "Rootless", "Runtime", "Failure"]),
    tests("RootlessTests", ["Rootless", "Networks", "LinuxSystem", "Failure"]),
    tests("YAMLTests", ["YAML", "Failure"]),
    tests("OCIRuntimeTests", ["OCIRuntime", "OCI", "Failure"]),
    tests("LinuxSystemTests", ["LinuxSystem", "Failure"]),
    tests("OCITests", ["OCI", "Failure"]),
    tests("EventJournalTests", ["EventJournal", "LinuxSystem"]),
    tests("LaunchPlanTests", ["LaunchPlan", "LinuxSystem", "Failure"]),
    tests("ContainerMonitorTests", ["ContainerMonitor", "LaunchPlan", "LinuxSystem", "Failure"]),
    tests("ArchiveTests", ["Archive", "LinuxSystem", "Failure"]),
    tests("ImageStoreTests", ["ImageStore", "ImageArchive", "Archive", "OCI", "LinuxSystem", "Failure"]),
    tests("RegistryClientTests", ["RegistryClient", "OCI", "Failure", "ScriptedRegistry"]),
    tests(
        "OverlayFSTests",
        [
            "OverlayFS", "Layers", "Archive", "ContainerMonitor", "LaunchPlan", "OCI", "LinuxSystem",
            "Failure",
        ]),
    tests("RuntimeTests", ["Runtime", "LaunchPlan", "OCI", "LinuxSystem", "Failure"]),
    tests("VolumesTests", ["Volumes", "LinuxSystem", "Failure"]),
    tests("NetworksTests", ["Networks", "LinuxSystem", "Failure"]),
    tests("NameServiceTests", ["NameService", "Networks", "LinuxSystem", "Failure"]),
    tests("DockerfileTests", ["Dockerfile", "Failure"]),
    tests("BuildContextTests", ["BuildContext", "Dockerfile", "Archive", "OCI", "LinuxSystem", "Failure"]),
    tests("CommandTableTests", ["CommandTable", "Failure"]),
    tests("BuildScreenTests", ["BuildScreen"]),
    tests(
        "EngineTests",
        [
            "Engine", "Transfers", "ImageStore", "OverlayFS", "Layers", "Archive", "OCI", "LaunchPlan",
            "Rootless", "Networks", "CommandTable",
            "LinuxSystem", "Failure", "ScriptedRegistry",
        ]),
    tests("BuildTests", ["Build", "Dockerfile", "Engine", "ImageStore", "OCI", "LinuxSystem", "Failure"]),
    tests("ArchitectureTests", []),
    tests("IntegrationTests", ["ScriptedRegistry", "Networks", "LinuxSystem", "OCI", "Failure"]),
    // A registry that answers as a test's script says; used by unit and integration tests.
    .target(
        name: "ScriptedRegistry", dependencies: ["OCI"], path: "Tests/ScriptedRegistry",
        swiftSettings: strict),
]

/// CTR_FOCUS=Room,Room builds only these targets and what they need: the short loop while one room is worked on.
func focused(_ all: [Target]) -> [Target] {
    guard let focus = Context.environment["CTR_FOCUS"] else { return all }
    var wanted: Set<String> = []
    var queue = focus.split(separator: ",").map(String.init)
    while let name = queue.popLast() {
        guard wanted.insert(name).inserted, let target = all.first(where: { $0.name == name }) else {
            continue
        }
        for case .byNameItem(let dependency, _) in target.dependencies { queue.append(dependency) }
    }
    return all.filter { wanted.contains($0.name) }
}

let package = Package(
    name: "ctr",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto.git", exact: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio.git", exact: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", exact: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
    ],
    targets: focused(targets)
)
