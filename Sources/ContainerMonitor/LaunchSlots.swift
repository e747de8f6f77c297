package import Failure
package import LaunchPlan
package import LinuxSystem

/// The descriptors of a plan's slots, open as long as this value lives.
package struct LaunchSlots: ~Copyable {
    /// One a slot; -1 for what the launcher makes.
    package private(set) var numbers: [Int32] = []
    private var owners: [SharedFileDescriptor] = []

    /// - Throws: naming the mount whose source cannot be opened.
    package init(
        _ sources: [SlotSource], root: borrowing FileDescriptor, pidfd: Int32 = -1
    ) throws(Failure) {
        for source in sources {
            switch source {
            case .root: numbers.append(root.raw)
            case .bind(let path, let recursive, let own, let below, let ids):
                let namespace = try ids.map { (ids) throws(Failure) in
                    SharedFileDescriptor(try ids.openNamespace())
                }
                let mount = try during("mount \(path)") { () throws(SystemError) in
                    let mount = try DetachedMount(bind: path, recursive: recursive)
                    try mount.change(own, recursive: false)
                    try mount.change(below, recursive: true)
                    if let namespace {
                        try mount.mapIDs(by: namespace.raw, recursive: ids?.recursive == true)
                    }
                    return SharedFileDescriptor(try mount.descriptor.duplicate())
                }
                keep(mount)
            case .file(let path):
                keep(
                    try during("open \(path)") { () throws(SystemError) in
                        SharedFileDescriptor(try FileDescriptor.open(path))
                    })
            case .containerPIDFD: numbers.append(pidfd)
            case .standardInput, .standardOutput, .standardError, .terminal, .cgroupFile, .startFIFO,
                .publishedPort:
                numbers.append(-1)
            }
        }
    }

    /// For slots behind those of the sources, of `publishedPort`.
    package mutating func add(_ ports: [SharedFileDescriptor]) {
        for port in ports { keep(port) }
    }

    private mutating func keep(_ descriptor: SharedFileDescriptor) {
        owners.append(descriptor)
        numbers.append(descriptor.raw)
    }
}

extension DetachedMount {
    fileprivate borrowing func change(_ change: AttributeChange, recursive: Bool) throws(SystemError) {
        if change.isEmpty { return }
        try set(
            Attributes(rawValue: change.set), clear: Attributes(rawValue: change.clear), recursive: recursive)
    }
}
