internal import Failure
internal import LaunchPlan
internal import LinuxSystem

/// The descriptors of a plan's slots, open as long as this value lives.
struct LaunchSlots: ~Copyable {
    /// One a slot; -1 for what the monitor makes.
    private(set) var numbers: [Int32] = []
    private var owners: [SharedFileDescriptor] = []

    /// - Throws: naming the mount whose source cannot be opened.
    init(
        _ sources: [SlotSource], root: borrowing FileDescriptor, pidfd: Int32 = -1
    ) throws(Failure) {
        for source in sources {
            switch source {
            case .root: numbers.append(root.raw)
            case .bind(let path, let recursive, let set, let clear, let recursiveAttributes):
                let mount = try during("mount \(path)") { () throws(SystemError) in
                    let mount = try DetachedMount(bind: path, recursive: recursive)
                    if set != 0 || clear != 0 {
                        try mount.set(
                            DetachedMount.Attributes(rawValue: set),
                            clear: DetachedMount.Attributes(rawValue: clear),
                            recursive: recursiveAttributes)
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
            case .standardInput, .standardOutput, .standardError, .terminal, .cgroupFile, .startFIFO:
                numbers.append(-1)
            }
        }
    }

    private mutating func keep(_ descriptor: SharedFileDescriptor) {
        owners.append(descriptor)
        numbers.append(descriptor.raw)
    }
}
