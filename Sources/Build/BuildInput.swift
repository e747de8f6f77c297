internal import BuildContext
internal import Dockerfile
internal import Failure
internal import LinuxSystem

/// The context and the Dockerfile of a build.
struct BuildInput {
    let tree: ContextTree
    let document: DockerfileDocument
    /// Where the context is; names what is remembered of its files.
    let identity: String
    /// Of the newest commit of a context that is in a git work tree; nil for others.
    private let commitTime: Int64?

    private static let longestDockerfile = 16 << 20

    init(_ request: BuildRequest, _ work: WorkDirectory) throws(Failure) {
        switch request.context {
        case .directory(let path):
            let opened = try ContextTree.opening(path, owners: .root)
            let found = try BuildInput.dockerfile(request, in: opened, path)
            document = try BuildInput.parse(found.bytes, found.name)
            tree = try BuildInput.ignoring(opened, found.beside)
            identity = try BuildInput.absolute(opened, path)
            commitTime = try GitCommitTime.newest(above: path)
        case .standardInput:
            let input = try StandardInputContext(work)
            if let bytes = input.dockerfile {
                guard request.dockerfile == nil else {
                    throw Failure(
                        .invalidArgument, "-f cannot be used with a Dockerfile on standard input",
                        hint: "give a directory as the context")
                }
                document = try BuildInput.parse(bytes, "Dockerfile")
                tree = ContextTree(try work.directory("empty").descriptor, owners: .root)
            } else {
                let unpacked = try input.unpack(work)
                let found = try BuildInput.dockerfile(request, in: unpacked, nil)
                document = try BuildInput.parse(found.bytes, found.name)
                tree = try BuildInput.ignoring(unpacked, found.beside)
            }
            identity = "-"
            commitTime = nil
        case .git(let address), .address(let address):
            let remote = try RemoteContext(address, work)
            if let bytes = remote.dockerfile {
                document = try BuildInput.parse(bytes, "Dockerfile")
                tree = remote.tree
            } else {
                let found = try BuildInput.dockerfile(request, in: remote.tree, nil)
                document = try BuildInput.parse(found.bytes, found.name)
                tree = try BuildInput.ignoring(remote.tree, found.beside)
            }
            identity = address
            commitTime = remote.commitTime
        }
    }

    /// SOURCE_DATE_EPOCH, else the context's newest commit, else 0.
    func epoch(_ request: BuildRequest) throws(Failure) -> Int64 {
        let text = request.arguments["SOURCE_DATE_EPOCH"] ?? request.sourceDateEpoch ?? ""
        guard !text.isEmpty else { return commitTime ?? 0 }
        guard let seconds = Int64(text), seconds >= 0, seconds < 1 << 33 else {
            throw Failure(
                .invalidArgument, "SOURCE_DATE_EPOCH=\(text) is no time", hint: "give seconds since 1970")
        }
        return seconds
    }

    /// Where the directory is, by whatever words it was named.
    private static func absolute(_ tree: ContextTree, _ path: String) throws(Failure) -> String {
        try during("find \(path)") { () throws(SystemError) in
            try Directory.readLink("/proc/self/fd/\(tree.root)").shown
        }
    }

    // MARK: the Dockerfile

    private struct Found {
        let bytes: [UInt8]
        let name: String
        /// The Dockerfile's path without links, for `<Dockerfile>.dockerignore`: in the context, or on the host.
        let beside: Beside?
    }

    enum Beside {
        case inContext(String)
        case onHost(String)
    }

    private static func dockerfile(_ request: BuildRequest, in tree: ContextTree, _ path: String?)
        throws(Failure) -> Found
    {
        guard let given = request.dockerfile else {
            for name in ["Dockerfile", "dockerfile"] {
                if let bytes = try tree.read(name, limit: longestDockerfile) {
                    return Found(bytes: bytes, name: name, beside: .inContext(name))
                }
            }
            throw Failure(
                .notFound, "the context has no Dockerfile",
                hint: "name another file by -f, or - for standard input")
        }
        if given == "-" {
            guard request.context != .standardInput else {
                throw Failure(.invalidArgument, "context and Dockerfile cannot both be standard input")
            }
            let bytes = try during("read the Dockerfile") { () throws(SystemError) in
                try FileDescriptor.withBorrowed(0) { (input) throws(SystemError) in
                    try input.readAll(limit: longestDockerfile)
                }
            }
            return Found(bytes: bytes, name: "Dockerfile", beside: nil)
        }
        // A path of the host's, as docker takes it; in a context that is no directory, one inside.
        guard path != nil else {
            guard let bytes = try tree.read(given, limit: longestDockerfile) else {
                throw Failure(.notFound, "the context has no \(given)")
            }
            return Found(bytes: bytes, name: given, beside: .inContext(given))
        }
        do throws(SystemError) {
            let file = try FileDescriptor.open(given, [.readOnly])
            return Found(
                bytes: try file.readAll(limit: longestDockerfile), name: given, beside: .onHost(given))
        } catch {
            throw error.failure("read the Dockerfile \(given)")
        }
    }

    private static func parse(_ bytes: [UInt8], _ name: String) throws(Failure) -> DockerfileDocument {
        let short = name.split(separator: "/").last.map(String.init) ?? name
        do throws(DockerfileError) {
            return try DockerfileDocument.parse(bytes, name: short)
        } catch {
            let lines = String(decoding: bytes, as: UTF8.self).split(
                separator: "\n", omittingEmptySubsequences: false
            ).map { $0.last == "\r" ? String($0.dropLast()) : String($0) }
            throw error.failure(in: short, lines: lines)
        }
    }

    // MARK: .dockerignore

    /// The file beside the Dockerfile wins over the context's own.
    static func ignoring(_ tree: ContextTree, _ beside: Beside?) throws(Failure)
        -> ContextTree
    {
        var found: (bytes: [UInt8], name: String)?
        switch beside {
        case .inContext(let name):
            let own = "\(name).dockerignore"
            found = try tree.read(own).map { ($0, own) }
        case .onHost(let name):
            let own = "\(name).dockerignore"
            let bytes = try during("read \(own)") { () throws(SystemError) in
                try AtomicFile.read(own, limit: 16 << 20)
            }
            found = bytes.map { ($0, own) }
        case nil: break
        }
        if found == nil { found = try tree.read(".dockerignore").map { ($0, ".dockerignore") } }
        guard let found else { return tree }
        do throws(DockerfileError) {
            let patterns = try IgnorePatterns(found.bytes)
            return patterns.isEmpty ? tree : tree.ignoring(patterns)
        } catch {
            throw error.failure(
                in: found.name,
                lines: String(decoding: found.bytes, as: UTF8.self).split(
                    separator: "\n", omittingEmptySubsequences: false
                ).map(String.init))
        }
    }
}
