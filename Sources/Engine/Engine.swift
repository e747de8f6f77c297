package import Failure
package import ImageStore
internal import LinuxSystem
internal import Rootless
internal import Runtime
internal import Synchronization

/// The use cases: the only place that knows every room. One value a process; it keeps directories open, nothing else.
package final class Engine: Sendable {
    package let rootPath: String
    /// /run/ctr/<hash of the root's path>: what lives until the next boot.
    package let runPath: String
    let debug: Bool
    package let root: StoreRoot
    package let containerStore: ContainerStore
    package let references: ReferenceStore
    package let content: ContentStore
    private let facts = Mutex<HostFacts?>(nil)
    /// Of the last step of a build: its close costs nothing when another step has taken its time.
    let rulesOfLastStep = Mutex<SharedFileDescriptor?>(nil)

    /// - Parameters:
    ///   - root: `--root`, else CTR_ROOT, else /var/lib/ctr; an ordinary user's is in $XDG_DATA_HOME.
    ///   - runRoot: `--run-root`, else CTR_RUN_ROOT, else /run/ctr; an ordinary user's is in $XDG_RUNTIME_DIR.
    /// - Throws: `permissionDenied` without root's rights; what is needed is said.
    package init(root: String?, runRoot: String?, debug: Bool) throws(Failure) {
        guard Process.isRoot else {
            throw Failure(
                .permissionDenied, "ctr needs root's rights to make namespaces, mounts and cgroups",
                hint: "run it as root, for example with sudo")
        }
        let rootless = RootlessSession.current
        let rootPath = try Engine.absolute(
            root ?? Process.environmentValue("CTR_ROOT") ?? rootless?.defaultRoot ?? "/var/lib/ctr")
        let runRoot = try Engine.absolute(
            runRoot ?? Process.environmentValue("CTR_RUN_ROOT") ?? rootless?.defaultRunRoot ?? "/run/ctr")
        self.rootPath = rootPath
        runPath = "\(runRoot)/\(Engine.hash(rootPath))"
        self.debug = debug
        let store = try StoreRoot.open(rootPath)
        self.root = store
        try Engine.checkVersion(store)
        containerStore = ContainerStore(root: store)
        references = ReferenceStore(store)
        content = ContentStore(store)
    }

    /// Without a trailing slash, and absolute: monitors outlive our working directory.
    private static func absolute(_ path: String) throws(Failure) -> String {
        guard !path.isEmpty else { throw Failure(.invalidArgument, "the root directory's path is empty") }
        var whole = path
        if !whole.hasPrefix("/") {
            let here = try during("find the working directory") { () throws(SystemError) in
                try Directory.readLink("/proc/self/cwd")
            }
            whole = "\(here.shown)/\(path)"
        }
        while whole.count > 1, whole.hasSuffix("/") { whole.removeLast() }
        return whole
    }

    /// FNV-1a, 64 bits: two roots on one machine do not share a run directory.
    static func hash(_ text: String) -> String {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static let layoutVersion = "1"

    private static func checkVersion(_ root: StoreRoot) throws(Failure) {
        let raw = root.descriptor.raw
        let found = try during("read the root's VERSION") { () throws(SystemError) in
            if let bytes = try AtomicFile.read("VERSION", in: raw, limit: 64) { return bytes }
            let bytes = Array("\(layoutVersion)\n".utf8)
            try AtomicFile.write(bytes, to: "VERSION", in: raw, mode: 0o644)
            return bytes
        }
        let version = String(decoding: found.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard version == layoutVersion else {
            throw Failure(
                .unsupported, "the root directory has the layout \(version), this ctr knows \(layoutVersion)",
                hint: "use the release of ctr that made it, or another --root")
        }
    }

    /// The host as this process sees it, read once.
    func hostFacts() throws(Failure) -> HostFacts {
        if let known = facts.withLock({ $0 }) { return known }
        let read = try HostFacts.read()
        facts.withLock { $0 = read }
        return read
    }

    // MARK: containers by name

    package func container(_ word: String) throws(Failure) -> ContainerRecord {
        try containerStore.resolve(word)
    }

    package func containers() throws(Failure) -> [ContainerSummary] {
        var summaries: [ContainerSummary] = []
        for record in try containerStore.all() {
            let summary = try summary(of: record)
            if !summary.state.isRunning { sweepNetworks(of: record) }
            summaries.append(summary)
        }
        return summaries
    }

    package func path(of record: ContainerRecord, _ name: String) -> String {
        "\(rootPath)/containers/\(record.id)/\(name)"
    }

    package func runDirectory(of id: String) -> String { "\(runPath)/\(id)" }

    package func layerPath(_ id: String) -> String { "\(rootPath)/layers/\(id)/fs" }
}

/// A container and what it does now.
package struct ContainerSummary: Sendable {
    package let record: ContainerRecord
    package let state: ContainerState
}

/// Bytes.
package struct ContainerSizes: Sendable {
    /// In the container's own layer.
    package let written: Int64
    package let image: Int64
}
