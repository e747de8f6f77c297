internal import Failure
internal import LinuxSystem
internal import OCI

/// linux.intelRdt: a container's class of service in the kernel's resctrl file system, its share of caches and of memory
/// bandwidth (config-linux.md, "IntelRdt").
struct CacheAllocation {
    /// The class's directory.
    let directory: String
    /// Of this container alone, within the class; nil where monitoring is not asked for.
    let monitoring: String?
    /// What was made for the container and goes with it, deepest first.
    private(set) var toRemove: [String]

    /// Where it is mounted on this host; nil for nowhere.
    static func mount() throws(Failure) -> String? {
        let bytes = try during("read mountinfo") { () throws(SystemError) in
            try AtomicFile.read("/proc/self/mountinfo")
        }
        return mount(in: String(decoding: bytes ?? [], as: UTF8.self))
    }

    /// By mountinfo (proc(5)).
    static func mount(in mountinfo: String) -> String? {
        for line in mountinfo.split(separator: "\n") {
            // 36 35 98:0 /root /mount/point options [optional…] - type source super-options
            let fields = line.split(separator: " ")
            if let dash = fields.firstIndex(of: "-"), dash > 4, fields.indices.contains(dash + 1),
                fields[dash + 1] == "resctrl"
            {
                return String(fields[4])
            }
        }
        return nil
    }

    /// Finds or makes the class and writes its shares.
    /// - Parameter mount: of resctrl.
    /// - Throws: `notFound` for a class that is to be there and is not, `conflict` for one that has other shares.
    init(_ asked: RuntimeSpec.IntelRdt, container id: String, mount: String?) throws(Failure) {
        guard let mount else {
            throw Failure(
                .unsupported, "config.json: linux.intelRdt: no resctrl is mounted on this host",
                hint: "where the processor has it: mount -t resctrl resctrl /sys/fs/resctrl")
        }
        let name = asked.closID.flatMap { $0.isEmpty ? nil : $0 } ?? id
        directory = try CacheAllocation.directory(asked, container: id, mount: mount)
        let lines = try CacheAllocation.lines(asked)
        let path = directory
        let exists = try CacheAllocation.exists(path)
        let isOwn = asked.closID?.isEmpty != false
        monitoring = asked.enableMonitoring == true ? "\(path)/mon_groups/\(id)" : nil
        toRemove = monitoring.map { [$0] } ?? []
        if exists, !isOwn {
            try CacheAllocation.compare(lines, with: "\(path)/schemata")
        } else if !isOwn, lines.isEmpty {
            throw Failure(
                .notFound, "config.json: linux.intelRdt.closID: there is no class \(name) in \(mount)",
                hint: "one with schemata would be made")
        } else {
            if !exists {
                try during("make \(path)") { () throws(SystemError) in try Directory.make(path, mode: 0o755) }
            }
            do throws(Failure) { try CacheAllocation.write(lines, of: path) } catch {
                if !exists { CacheAllocation.remove([path]) }
                throw error
            }
            // A class with a name of its own is others' too, and stays; so does one that was there before.
            if isOwn, !exists { toRemove.append(path) }
        }
    }

    /// New shares for the class of a container that runs, for `update`.
    static func change(
        _ asked: RuntimeSpec.IntelRdt, of present: RuntimeSpec.IntelRdt?, container id: String, mount: String?
    ) throws(Failure) {
        guard let present, let mount else {
            throw Failure(
                .unsupported,
                mount == nil
                    ? "no resctrl is mounted on this host"
                    : "cannot update \(id): it has no class of resctrl",
                hint: "linux.intelRdt of config.json gives it one")
        }
        let directory = try directory(present, container: id, mount: mount)
        try write(try lines(asked), of: directory)
    }

    /// "/" is the default class, the top itself.
    private static func directory(
        _ asked: RuntimeSpec.IntelRdt, container id: String, mount: String
    ) throws(Failure) -> String {
        let name = asked.closID.flatMap { $0.isEmpty ? nil : $0 } ?? id
        if name == "/" { return mount }
        guard !name.contains("/"), name != ".", name != ".." else {
            throw Failure(
                .invalidArgument,
                "config.json: linux.intelRdt.closID: \(name.quotedForMessage) is not the name of a class")
        }
        return "\(mount)/\(name)"
    }

    private static func write(_ lines: [String], of directory: String) throws(Failure) {
        for line in lines { try write(line + "\n", to: "\(directory)/schemata") }
    }

    /// Before anything of the container runs: what it starts is in the class, too.
    func admit(_ pid: Int32) throws(Failure) {
        try CacheAllocation.write(String(pid), to: "\(directory)/tasks")
        guard let monitoring else { return }
        try during("make \(monitoring)") { () throws(SystemError) in
            try Directory.ensurePath(monitoring, mode: 0o755)
        }
        try CacheAllocation.write(String(pid), to: "\(monitoring)/tasks")
    }

    func remove() { CacheAllocation.remove(toRemove) }

    static func remove(_ directories: [String]) {
        for directory in directories { try? Directory.removeEmpty(directory) }
    }

    /// The lines of the schemata file: the two older fields first, of which memBwSchema alone speaks for MB.
    private static func lines(_ asked: RuntimeSpec.IntelRdt) throws(Failure) -> [String] {
        var lines: [String] = []
        if let cache = asked.l3CacheSchema {
            let bandwidth = asked.memBwSchema
            lines += cache.split(separator: "\n").map(String.init).filter {
                bandwidth == nil || !$0.hasPrefix("MB:")
            }
        }
        if let bandwidth = asked.memBwSchema {
            guard bandwidth.hasPrefix("MB:"), !bandwidth.contains("\n") else {
                throw Failure(
                    .invalidArgument,
                    "config.json: linux.intelRdt.memBwSchema: \(bandwidth.quotedForMessage) is not one line that begins with MB:"
                )
            }
            lines.append(bandwidth)
        }
        return lines + (asked.schemata ?? [])
    }

    /// Every line must be there as it is asked for; the kernel pads its own with spaces and writes numbers without zeros before
    /// them.
    private static func compare(_ lines: [String], with file: String) throws(Failure) {
        let bytes = try during("read \(file)") { () throws(SystemError) in try AtomicFile.read(file) }
        func plain(_ line: some StringProtocol) -> String {
            let text = String(line).filter { $0 != " " }
            guard let colon = text.firstIndex(of: ":") else { return text }
            let shares = text[text.index(after: colon)...].split(separator: ";").map { share in
                share.split(separator: "=").map { part in
                    let digits = part.drop { $0 == "0" }
                    return digits.isEmpty ? "0" : digits.lowercased()
                }.joined(separator: "=")
            }
            return String(text[...colon]) + shares.joined(separator: ";")
        }
        let there = Set(String(decoding: bytes ?? [], as: UTF8.self).split(separator: "\n").map { plain($0) })
        for line in lines where !there.contains(plain(line)) {
            throw Failure(
                .conflict, "config.json: linux.intelRdt: the class has other shares than \(line): \(file)")
        }
    }

    private static func exists(_ path: String) throws(Failure) -> Bool {
        try during("look for \(path)") { () throws(SystemError) in try FileDescriptor.exists(path) }
    }

    private static func write(_ text: String, to file: String) throws(Failure) {
        try during("write \(text.quotedForMessage) to \(file)") { () throws(SystemError) in
            try FileDescriptor.open(file, [.writeOnly]).write(text)
        }
    }
}
