import Archive
import BuildContext
import Dockerfile
import Failure
import LinuxSystem
import OCI
import Testing

let isRoot = Process.isRoot

/// A directory on tmpfs that goes with its owner: `context` to copy from, `root` to copy into, and `canary/file`, which
/// nothing may touch.
final class Scratch {
    let path: String
    let directory: FileDescriptor
    let context: SharedFileDescriptor
    let root: SharedFileDescriptor

    init(in place: String = "/dev/shm") throws {
        path = "\(place)/ctr-context-\(randomHex(bytes: 6))"
        try Directory.make(path, mode: 0o755)
        directory = try Directory.open(path)
        for name in ["context", "root", "canary"] {
            try Directory.make(name, in: directory.raw, mode: 0o755)
        }
        context = SharedFileDescriptor(try Directory.open("context", in: directory.raw))
        root = SharedFileDescriptor(try Directory.open("root", in: directory.raw))
        try file("canary/file", "alive", mode: 0o600)
    }

    deinit { try? Directory.removeTree(path) }

    // MARK: making

    func file(_ name: String, _ text: String = "", mode: UInt32 = 0o644, uid: UInt32 = 0) throws {
        let file = try FileDescriptor.open(
            name, in: directory.raw, [.writeOnly, .create, .truncate, .noFollow])
        try file.write(text)
        try file.changeOwner(uid: uid, gid: uid)
        try file.changeMode(mode)
    }

    /// With its parents.
    func make(_ name: String, mode: UInt32 = 0o755) throws {
        var path = ""
        for part in name.split(separator: "/") {
            path += path.isEmpty ? "\(part)" : "/\(part)"
            if try Directory.ensure(path, in: directory.raw) {
                try Directory.changeMode(path, in: directory.raw, mode: mode)
            }
        }
    }

    func link(_ target: String, at name: String) throws {
        try Directory.symlink(target, at: name, in: directory.raw)
    }

    /// A tree by lines: `dir/`, `name -> target`, `name` or `name=text`; with their parents.
    func tree(_ lines: [String], in place: String = "context") throws {
        for line in lines {
            let arrow = line.split(separator: ">", maxSplits: 1).map(String.init)
            let name = String(line.prefix { $0 != "=" && $0 != " " })
            let full = "\(place)/\(name)"
            if name.hasSuffix("/") {
                try make(full)
                continue
            }
            if let slash = full.lastIndex(of: "/") { try make(String(full[..<slash])) }
            if line.contains(" -> "), arrow.count == 2 {
                try link(String(arrow[1].dropFirst()), at: full)
            } else {
                try file(
                    full, line.split(separator: "=", maxSplits: 1).dropFirst().first.map(String.init) ?? name)
            }
        }
    }

    // MARK: looking

    func text(_ name: some SystemPath) throws -> String {
        String(
            decoding: try FileDescriptor.open(name, in: directory.raw, [.noFollow]).readAll(limit: 1 << 24),
            as: UTF8.self)
    }

    func status(_ name: some SystemPath) throws -> FileStatus {
        try FileDescriptor.status(name, in: directory.raw)
    }

    func exists(_ name: some SystemPath) throws -> Bool {
        try FileDescriptor.exists(name, in: directory.raw)
    }

    /// Everything below a directory, sorted: `dir/`, `name -> target`, `name=text`.
    func listing(_ place: String = "root") throws -> [String] {
        var lines: [String] = []
        var pending = [""]
        while let path = pending.popLast() {
            let opened = try FileDescriptor.open(
                "\(place)/\(path)", in: directory.raw, [.readOnly, .directory])
            for entry in try Directory.entries(of: opened) {
                let name = path + entry.name.shown
                switch entry.kind {
                case .directory:
                    lines.append("\(name)/")
                    pending.append("\(name)/")
                case .symlink:
                    lines.append("\(name) -> \(try Directory.readLink(entry.name, in: opened.raw).shown)")
                case .file: lines.append("\(name)=\(try text("\(place)/\(name)"))")
                default: lines.append("\(name) \(entry.kind.map { "\($0)" } ?? "?")")
                }
            }
        }
        return lines.sorted()
    }

    var canaryLives: Bool {
        guard let names = try? Directory.names(in: Directory.open("canary", in: directory.raw)) else {
            return false
        }
        let status = try? status("canary/file")
        return names == ["file"] && (try? text("canary/file")) == "alive" && status?.links == 1
            && status?.permissions == 0o600
    }

    // MARK: the room

    func context(ignoring patterns: [String] = [], owners: ContextTree.Owners = .root) throws -> ContextTree {
        ContextTree(
            context, owners: owners, ignoring: try patterns.isEmpty ? nil : IgnorePatterns(patterns: patterns)
        )
    }

    @discardableResult
    func copy(
        _ sources: String..., to destination: String, ignoring patterns: [String] = [],
        excludes: [String] = [], parents: Bool = false, owners: ContextTree.Owners = .root,
        workingDirectory: String = "/", _ change: (inout CopyOptions) throws -> Void = { _ in }
    ) throws -> FileSelection {
        var options = CopyOptions()
        try change(&options)
        let selection = try context(ignoring: patterns, owners: owners)
            .select(sources: sources, excludes: excludes, parents: parents)
        try selection.copy(
            into: root.raw, destination: destination, workingDirectory: workingDirectory, options)
        return selection
    }

    func digest(
        _ sources: String..., ignoring patterns: [String] = [], owners: ContextTree.Owners = .root,
        memory: DigestMemory? = nil
    ) throws -> String {
        try context(ignoring: patterns, owners: owners).select(sources: sources).digest(memory).digest.hex
    }
}
