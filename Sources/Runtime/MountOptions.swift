internal import Failure
internal import LaunchPlan

/// The options of one mount, sorted into what the kernel takes apart: attributes of the mount, its propagation, and
/// parameters of the file system (runtime-spec config.md, "Linux mount options"; mount_setattr(2)).
struct MountOptions: Equatable {
    /// MOUNT_ATTR_* to set and to clear.
    var attributes = Change()
    /// The same for the mounts below too (`rro` and its kin).
    var recursive = Change()
    /// `idmap`, and `ridmap` for the mounts below too.
    var mapsIDs = false
    var mapsIDsBelow = false
    /// MS_* propagation flag, with MS_REC for the `r` forms; 0 leaves it as it is.
    var propagation: UInt64 = 0
    var isBind = false
    var recursiveBind = false
    var copyUp = false
    /// Parameters of fsconfig(2).
    var data: [MountOption] = []

    struct Change: Equatable {
        var set: UInt64 = 0
        var clear: UInt64 = 0

        var change: AttributeChange { AttributeChange(set: set, clear: clear) }

        /// The later of two contradicting options wins.
        mutating func apply(_ change: (set: UInt64, clear: UInt64)) {
            set = set & ~change.clear | change.set
            clear = clear & ~change.set | change.clear
        }
    }

    enum Attribute {
        static let readOnly: UInt64 = 0x1
        static let noSetUID: UInt64 = 0x2
        static let noDevices: UInt64 = 0x4
        static let noExecute: UInt64 = 0x8
        static let accessTimes: UInt64 = 0x70
        static let noAccessTime: UInt64 = 0x10
        static let strictAccessTime: UInt64 = 0x20
        static let noDirectoryAccessTime: UInt64 = 0x80
        static let noSymlinkFollow: UInt64 = 0x200000
    }

    enum Propagation {
        static let unbindable: UInt64 = 1 << 17
        static let `private`: UInt64 = 1 << 18
        static let slave: UInt64 = 1 << 19
        static let shared: UInt64 = 1 << 20
        static let recursive: UInt64 = 1 << 14
    }

    /// Option to (attributes set, attributes cleared). Access-time values share one field: it is cleared as a whole.
    static let attributeNames: [String: (set: UInt64, clear: UInt64)] = [
        "ro": (Attribute.readOnly, 0), "rw": (0, Attribute.readOnly),
        "nosuid": (Attribute.noSetUID, 0), "suid": (0, Attribute.noSetUID),
        "nodev": (Attribute.noDevices, 0), "dev": (0, Attribute.noDevices),
        "noexec": (Attribute.noExecute, 0), "exec": (0, Attribute.noExecute),
        "noatime": (Attribute.noAccessTime, Attribute.accessTimes), "atime": (0, Attribute.accessTimes),
        "strictatime": (Attribute.strictAccessTime, Attribute.accessTimes),
        "nostrictatime": (0, Attribute.accessTimes),
        "relatime": (0, Attribute.accessTimes),
        "norelatime": (Attribute.strictAccessTime, Attribute.accessTimes),
        "nodiratime": (Attribute.noDirectoryAccessTime, 0), "diratime": (0, Attribute.noDirectoryAccessTime),
        "nosymfollow": (Attribute.noSymlinkFollow, 0), "symfollow": (0, Attribute.noSymlinkFollow),
    ]

    static let propagations: [String: UInt64] = [
        "private": Propagation.private, "rprivate": Propagation.private | Propagation.recursive,
        "slave": Propagation.slave, "rslave": Propagation.slave | Propagation.recursive,
        "shared": Propagation.shared, "rshared": Propagation.shared | Propagation.recursive,
        "unbindable": Propagation.unbindable, "runbindable": Propagation.unbindable | Propagation.recursive,
    ]

    /// Defaults of every kernel (file systems that count versions of inodes do it without a word), and what only changes messages of the mount program.
    static let withoutEffect: Set<String> = [
        "defaults", "async", "nolazytime", "nomand", "loud", "silent", "iversion", "noiversion",
        "remount",
    ]

    /// Of a file system as a whole: for a bind they change nothing, as mount(2) has it.
    static let superblockFlags: Set<String> = ["sync", "dirsync", "lazytime", "mand"]

    init(_ options: [String]) {
        for option in options where !option.isEmpty {
            if let change = MountOptions.attributeNames[option] {
                attributes.apply(change)
            } else if option.hasPrefix("r"),
                let change = MountOptions.attributeNames[String(option.dropFirst())]
            {
                recursive.apply(change)
            } else if let flag = MountOptions.propagations[option] {
                propagation = flag
            } else if !MountOptions.withoutEffect.contains(option) {
                applyOther(option)
            }
        }
    }

    private mutating func applyOther(_ option: String) {
        switch option {
        case "bind": isBind = true
        case "rbind":
            isBind = true
            recursiveBind = true
        case "tmpcopyup": copyUp = true
        case "idmap": mapsIDs = true
        case "ridmap":
            mapsIDs = true
            mapsIDsBelow = true
        default:
            guard let equals = option.firstIndex(of: "=") else {
                data.append(MountOption(option))
                return
            }
            data.append(
                MountOption(String(option[..<equals]), String(option[option.index(after: equals)...])))
        }
    }

    /// Of a new file system there is nothing below: both are one.
    var allAttributes: UInt64 {
        var all = attributes
        all.apply((recursive.set, recursive.clear))
        return all.set
    }
}
