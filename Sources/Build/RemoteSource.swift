internal import BuildContext
internal import Dockerfile
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import Transfers

/// A source of ADD that is an address: a git repository, or a file that is downloaded.
enum RemoteSource {
    static func isRemote(_ source: String) -> Bool {
        source.hasPrefix("http://") || source.hasPrefix("https://") || GitSource.isGit(source)
    }

    /// What is there now: a commit, or the file's digest.
    static func key(
        _ address: String, _ files: FileInstruction, _ session: BuildSession, step: Int
    ) throws(Failure) -> String {
        if GitSource.isGit(address) {
            return try git(address, files).commit(
                RemoteContext.access(agent: session.request.agents.first?.socket))
        }
        // The file that a checksum names is known before it is fetched.
        if let checksum = try checksum(files) { return checksum.description }
        return try RemoteFile.at(address, session).digest
    }

    static func add(
        _ address: String, _ files: FileInstruction, into root: Int32, destination: String,
        _ options: CopyOptions, _ session: BuildSession, step: Int
    ) throws(Failure) {
        if GitSource.isGit(address) {
            let scratch = try session.work.directory("git")
            let checkout = try git(address, files).checkOut(
                into: scratch.path, RemoteContext.access(agent: session.request.agents.first?.socket))
            let tree = ContextTree(checkout.directory, owners: .root)
            return try tree.select(sources: ["."], excludes: files.excludes).copy(
                into: root, destination: destination, options)
        }
        let file = try RemoteFile.at(address, session, needsBytes: true)
        if let checksum = try checksum(files), file.digest != checksum.description {
            throw Failure(
                .dataLoss,
                "ADD \(address): digest mismatch: the file has \(file.digest), --checksum says \(checksum)"
            )
        }
        var options = options
        options.unpacksArchives = files.unpacks == true
        try file.tree.select(sources: [file.name]).copy(into: root, destination: destination, options)
    }

    private static func git(_ address: String, _ files: FileInstruction) throws(Failure) -> GitSource {
        var source = try GitSource(address)
        if files.keepGitDirectory { source.keepsGitDirectory = true }
        if let checksum = files.checksum { source.checksum = checksum.lowercased() }
        return source
    }

    private static func checksum(_ files: FileInstruction) throws(Failure) -> Digest? {
        try files.checksum.map { (text) throws(Failure) in
            do throws(Failure) {
                return try Digest(text)
            } catch {
                throw error.within("--checksum=\(text)")
            }
        }
    }
}

/// A downloaded file, kept for the build; what is known of it is remembered, so that the next build asks by its ETag.
private struct RemoteFile {
    let name: String
    let digest: String
    let tree: ContextTree

    static func at(_ address: String, _ session: BuildSession, needsBytes: Bool = false) throws(Failure)
        -> RemoteFile
    {
        let memo = ContentHash.hex(of: Array(address.utf8))
        let known = session.cache.download(memo)
        let scratch = try session.work.directory("download")
        let file = try during("make a file for \(address)") { () throws(SystemError) in
            // docker's mode for what is downloaded.
            try FileDescriptor.open(
                "download", in: scratch.descriptor.raw, [.readWrite, .create, .exclusive, .noFollow],
                mode: 0o600)
        }
        let found = try fetchFile(address, to: file.raw, etag: needsBytes ? nil : known?.etag)
        let digest: String
        switch found.content {
        case .unchanged: digest = known?.digest ?? ""
        case .written(let fresh, _):
            digest = fresh.description
            session.cache.remember(
                BuildCache.Download(etag: found.etag ?? "", digest: digest), ofDownload: memo)
        }
        try during("name the file of \(address)") { () throws(SystemError) in
            try Directory.rename(
                "download", in: scratch.descriptor.raw, to: found.name, in: scratch.descriptor.raw)
        }
        let opened = try during("open the file of \(address)") { () throws(SystemError) in
            SharedFileDescriptor(
                try FileDescriptor.open(".", in: scratch.descriptor.raw, [.readOnly, .directory]))
        }
        return RemoteFile(
            name: found.name, digest: digest, tree: ContextTree(opened, owners: .root))
    }
}

extension BuildCache {
    struct Download: Sendable {
        let etag, digest: String
    }

    private static let downloadKind = "ctr-download 1"

    /// What is known of the file at an address; only with an ETag to ask by.
    func download(_ memo: String) -> Download? {
        guard let bytes = (try? AtomicFile.read("build/downloads/\(memo)", in: root.raw, limit: 4096)) ?? nil,
            let record = try? FlatRecord(kind: BuildCache.downloadKind, parsing: bytes, name: memo),
            let etag = record.first("etag"), !etag.isEmpty, let digest = record.first("digest"),
            record.first("end") != nil
        else { return nil }
        return Download(etag: etag, digest: digest)
    }

    func remember(_ download: Download, ofDownload memo: String) {
        var record = FlatRecord(kind: BuildCache.downloadKind)
        record.add("etag", download.etag)
        record.add("digest", download.digest)
        record.add("end", "1")
        guard let directory = try? root.directory("build/downloads") else { return }
        try? AtomicFile.write(record.bytes, to: memo, in: directory.raw, durable: false)
    }
}
