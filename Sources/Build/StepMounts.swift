internal import BuildContext
internal import Dockerfile
internal import Engine
internal import Failure
internal import LinuxSystem
internal import OCI
internal import Transfers

/// The `--mount`s of a RUN, ready for the runtime; what they hold open, and the locks of cache mounts, go with this value.
struct StepMounts: ~Copyable {
    private(set) var mounts: [RuntimeSpec.Mount] = []
    private(set) var targets: [(path: String, isDirectory: Bool)] = []
    private var kept: [SharedFileDescriptor] = []
    private var locks: [CacheMount] = []
    private var proxies: [AgentProxy] = []
    /// Where the step finds its agent, the first where there are more: what SSH_AUTH_SOCK is.
    private(set) var agentTarget: String?

    init(_ requests: [RunMount], for stage: StageBuild, step: Int) throws(Failure) {
        let session = stage.session
        var agents = 0
        for mount in requests {
            switch mount.kind {
            case .bind: try bind(mount, stage, step)
            case .cache:
                let cache = try CacheMount(mount, stage, step)
                add(mount, at: cache.target(stage), source: cache.path, isDirectory: true)
                locks.append(cache)
            case .tmpfs:
                let target = stage.absolute(mount.target)
                var options = ["nosuid", "nodev"]
                if let size = mount.size { options.append("size=\(size)") }
                if mount.isReadOnly { options.append("ro") }
                mounts.append(
                    RuntimeSpec.Mount(destination: target, type: "tmpfs", source: "tmpfs", options: options))
                targets.append((target, true))
            case .secret:
                guard mount.environmentName == nil || !mount.target.isEmpty else { continue }
                guard let path = try session.sources.secretFile(mount, session) else { continue }
                add(mount, at: mount.secretTarget(stage), source: path, isDirectory: false)
            case .ssh:
                let target =
                    mount.target.isEmpty ? "/run/buildkit/ssh_agent.\(agents)" : stage.absolute(mount.target)
                agents += 1
                guard let proxy = try session.sources.agent(mount, session) else { continue }
                agentTarget = agentTarget ?? target
                add(mount, at: target, source: proxy.path, isDirectory: false)
                proxies.append(proxy)
            }
        }
    }

    private mutating func add(_ mount: RunMount, at target: String, source: String, isDirectory: Bool) {
        mounts.append(
            RuntimeSpec.Mount(
                destination: target, type: "bind", source: source,
                options: ["rbind", "rprivate"] + (mount.isReadOnly ? ["ro"] : [])))
        targets.append((target, isDirectory))
    }

    /// What the step writes there is seen by nobody afterwards.
    private mutating func bind(_ mount: RunMount, _ stage: StageBuild, _ step: Int) throws(Failure) {
        let tree = try stage.session.sources.tree(mount.from, for: stage, step: step)
        let source = mount.source.isEmpty ? "/" : mount.source
        let root = try tree.visibleRoot()
        let found = try during("mount \(source) of \(mount.from ?? "the context")") {
            () throws(SystemError) in
            SharedFileDescriptor(
                try FileDescriptor.open(
                    source, in: root, [.pathOnly], resolve: [.inRoot, .noMagicLinks]))
        }
        let isDirectory = try during("look at \(source)") { () throws(SystemError) in
            try FileDescriptor.withBorrowed(found.raw) { (file) throws(SystemError) in
                try file.status().kind == .directory
            }
        }
        kept.append(found)
        var path = "/proc/self/fd/\(found.raw)"
        if !mount.isReadOnly {
            let copy = try stage.session.writable(found, isDirectory: isDirectory)
            kept.append(copy)
            path = "/proc/self/fd/\(copy.raw)"
        }
        add(mount, at: stage.absolute(mount.target), source: path, isDirectory: isDirectory)
    }
}

extension RunMount {
    func secretTarget(_ stage: StageBuild) -> String {
        target.isEmpty ? "/run/secrets/\(id ?? "")" : stage.absolute(target)
    }
}

extension StageBuild {
    /// A mount's place, from the working directory.
    func absolute(_ path: String) -> String {
        ImageConfig.Settings.directory(path, from: state.settings.workingDir)
    }

    /// What a mount adds to the inputs of its step.
    func key(of mount: RunMount) throws(Failure) -> String {
        switch mount.kind {
        // Whatever they hold changes no result.
        case .cache, .tmpfs, .secret, .ssh: return ""
        case .bind:
            return try session.sources.digest(ofMount: mount, for: self)
        }
    }
}
