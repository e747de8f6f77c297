/// Who may import whom: the table of docs/architecture.md, which is compared with this one, as are the
/// dependencies of Package.swift.
enum Rooms {
    /// Targets of ours, by the room that may import them.
    static let ours: [String: Set<String>] = [
        "Failure": [],
        "CivilTime": [],
        "LinuxSystem": ["CLinux", "Failure"],
        "OCI": ["Failure"],
        "LaunchPlan": ["LinuxSystem", "Failure"],
        "EventJournal": ["LinuxSystem"],
        "ContainerMonitor": [
            "NameService", "Networks", "LaunchPlan", "EventJournal", "LinuxSystem", "CivilTime",
            "CContainerInit", "Failure",
        ],
        "Archive": ["LinuxSystem", "Failure", "CLibArchive", "CISAL", "CZlib", "CZstd"],
        "ImageStore": ["OCI", "LinuxSystem", "Failure"],
        "ImageArchive": ["ImageStore", "OCI", "LinuxSystem", "Archive", "Failure"],
        "RegistryClient": ["OCI", "CivilTime", "Failure"],
        "OverlayFS": ["OCI", "LinuxSystem", "Failure"],
        "Layers": ["OverlayFS", "OCI", "LinuxSystem", "Archive", "Failure"],
        "Runtime": ["OCI", "LaunchPlan", "LinuxSystem", "Failure", "CSeccomp"],
        "OCIRuntime": [
            "OCI", "Runtime", "Rootless", "LaunchPlan", "ContainerMonitor", "LinuxSystem", "CivilTime",
            "Failure",
        ],
        "YAML": ["Failure", "CYAML"],
        "Rootless": ["Networks", "LinuxSystem", "Failure"],
        "Doctor": ["Rootless", "Networks", "Runtime", "LinuxSystem", "Failure"],
        "Volumes": ["LinuxSystem", "Failure"],
        "Networks": ["LinuxSystem", "Failure"],
        "NameService": ["Networks", "LinuxSystem", "Failure"],
        "Dockerfile": ["Failure"],
        "BuildContext": ["Dockerfile", "Layers", "OCI", "LinuxSystem", "Archive", "Failure"],
        "CommandTable": ["CivilTime", "Failure"],
        "Engine": [
            "OCI", "LinuxSystem", "LaunchPlan", "EventJournal", "ContainerMonitor", "ImageStore", "OverlayFS",
            "Runtime", "Volumes", "Rootless", "Networks", "NameService", "YAML",
            "CommandTable", "CivilTime", "Failure",
        ],
        "Transfers": [
            "Engine", "OCI", "LinuxSystem", "Archive", "ImageStore", "ImageArchive", "RegistryClient",
            "OverlayFS",
            "Layers", "Volumes", "CommandTable", "Dockerfile", "Failure",
        ],
        "Build": [
            "Transfers", "Engine", "Dockerfile", "BuildContext", "OCI", "LinuxSystem", "Archive",
            "ImageStore", "OverlayFS", "Layers", "Failure",
        ],
        "BuildScreen": ["CommandTable"],
        "Front": ["Engine", "Rootless", "CommandTable", "LinuxSystem", "Failure"],
        "ctr": [
            "Front", "Engine", "Networks", "OCIRuntime", "EventJournal", "Doctor", "OCI", "CommandTable",
            "LinuxSystem", "CivilTime", "Failure",
            "CStaticUnwind",
        ],
        "ctr-transfer": [
            "Front", "Build", "BuildContext", "BuildScreen", "Dockerfile", "Transfers", "Engine", "OCI",
            "CommandTable",
            "LinuxSystem", "Failure",
        ],
        "ctr-monitor": ["ContainerMonitor", "CStaticUnwind"],
    ]

    /// Packages' products, by the room that may import them.
    static let packages: [String: Set<String>] = [
        "OCI": ["Crypto"],
        "RegistryClient": ["AsyncHTTPClient", "NIOCore", "NIOHTTP1", "NIOPosix", "NIOSSL"],
    ]

    /// Of the toolchain. `Synchronization` is free for all: atomics and a lock, without a runtime. Foundation is nowhere.
    static let toolchain: [String: Set<String>] = [
        "LinuxSystem": ["Glibc"],
        "OCI": ["FoundationEssentials"],
    ]

    /// `Glibc` outside of LinuxSystem: for numbers of errno and the like, never for a system call.
    static let glibcFiles: Set<String> = [
        "Archive/TarReader.swift", "Runtime/CgroupLimits+Unified.swift",
        "Runtime/Planner+Process.swift", "Runtime/SeccompCompiler.swift",
        "Transfers/Files/SystemError+Files.swift",
    ]

    static func allows(_ module: String, in room: String, file: String) -> Bool {
        module == "Synchronization" || ours[room]?.contains(module) == true
            || packages[room]?.contains(module) == true || toolchain[room]?.contains(module) == true
            || module == "Glibc" && glibcFiles.contains(file)
    }
}
