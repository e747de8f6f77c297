internal import ContainerMonitor
package import Failure
internal import LinuxSystem
internal import OCI

/// An OCI runtime: containers from bundles, as runtime-spec's runtime.md has their lives, with the options of the
/// command line that other engines call.
///
/// No process of ctr's stays beside such a container: its first process is left to the caller's subreaper, its state
/// is in one directory (`StateDirectory`).
package struct BundleRuntime: Sendable {
    /// `--root`: the directory of all containers' states.
    package let root: String
    /// `--systemd-cgroup`: cgroups are asked of systemd, and `cgroupsPath` is `slice:prefix:name`.
    package let usesSystemd: Bool

    /// Gets what the specification wants to be logged and what does not fail a call.
    let warn: @Sendable (String) -> Void

    package init(root: String?, usesSystemd: Bool, warn: @escaping @Sendable (String) -> Void) {
        // The bundle becomes the working directory.
        self.root = root.map(WorkingDirectory.absolute) ?? BundleRuntime.defaultRoot
        self.usesSystemd = usesSystemd
        self.warn = warn
    }

    private static var defaultRoot: String {
        if Process.isRoot, !UserNamespace.isNested { return "/run/ctr-oci" }
        // Never below /tmp: another user could have made it first.
        let own = Process.environmentValue("XDG_RUNTIME_DIR") ?? "/run/user/\(UserNamespace.outerUID)"
        return "\(own)/ctr-oci"
    }
}

/// What is asked of any process that is started.
package struct ProcessOptions: Sendable {
    /// A socket that the terminal's master is sent to.
    package var consoleSocket: String?
    package var pidFile: String?
    /// A socket that the process's pidfd is sent to.
    package var pidfdSocket: String?
    package var preservedDescriptors: UInt32 = 0

    package init() {}

    /// A terminal that this process relays has the size of its own from the start: the program may ask before the relay runs.
    func size(_ process: inout RuntimeSpec.Process) {
        guard process.terminal == true, consoleSocket == nil, let size = AttachClient.terminalSize() else {
            return
        }
        process.consoleSize = RuntimeSpec.ConsoleSize(height: UInt64(size.rows), width: UInt64(size.columns))
    }

    /// Sends what others asked for. Answers the terminal where nobody else has it now.
    func send(_ launched: Launcher.Shared) throws(Failure) -> SharedFileDescriptor? {
        var terminal = launched.terminal
        if let consoleSocket, let master = terminal {
            try DescriptorPassing.send(master.raw, named: "/dev/pts/ptmx", to: consoleSocket)
            terminal = nil
        }
        if let pidfdSocket {
            try DescriptorPassing.send(launched.pidfd.raw, named: "pidfd", to: pidfdSocket)
        }
        return terminal
    }
}

/// What `create` and `run` ask for.
package struct CreateOptions: Sendable {
    package var bundle: String
    package var process = ProcessOptions()
    /// How many of the preserved descriptors are systemd's (`LISTEN_FDS`).
    package var activationDescriptors: UInt32 = 0
    package var keepsOldRoot = false
    /// For every process of the container.
    package var keepsKeyring = false

    package init(bundle: String) { self.bundle = bundle }
}

extension BundleRuntime {
    /// Before a container is made.
    package func prepareToLaunch(bundle: String) throws(Failure) {
        if OrdinaryUser.isOne { return try OrdinaryUser.enter(bundle: bundle) }
        try BundleRuntime.sealProgram()
    }

    /// Before another process of a container is made.
    package func prepareToLaunch(in id: String) throws(Failure) {
        if OrdinaryUser.isOne {
            let process = try StateDirectory.open(id, in: root).state()?.process
            if let process, process.isAlive { try OrdinaryUser.enter(process) }
            return
        }
        try BundleRuntime.sealProgram()
    }

    /// CVE-2019-5736: what starts containers runs from a read-only detached bind of its file, so that /proc/self/exe cannot
    /// be written to from inside. `ctr run` has its monitor for that; here this program is the parent. Most calls are
    /// sealed before their main; this is for the others, and tells what is in the way.
    private static func sealProgram() throws(Failure) {
        try during("seal the program") { () throws(SystemError) in try SealedProgram.become() }
    }

    /// As other runtimes have it: nothing that is a path, and something to print.
    static func checkID(_ id: String) throws(Failure) {
        let isFine =
            !id.isEmpty && id != "." && id != ".." && id.utf8.count <= 1024
            && id.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"),
                    UInt8(ascii: "-"),
                    UInt8(ascii: "."):
                    true
                default: false
                }
            }
        guard isFine else {
            throw Failure(
                .invalidArgument, "invalid container id \(id.quotedForMessage)",
                hint: "an id is made of letters, digits, and _ + - .")
        }
    }
}
