package import Failure
internal import LinuxSystem

extension GitSource {
    /// The commit that would be fetched now, without fetching it: what a build's cache asks for.
    /// - Throws: as `checkOut`; a commit that is named by itself is not looked for.
    package func commit(_ access: GitAccess) throws(Failure) -> String {
        if case .commit(let hex) = ref {
            try check(hex, hex)
            return hex
        }
        let found = try find(try GitProgram(access, for: self))
        try check(found.commit, found.object)
        return found.commit
    }

    /// Fetches one commit with the host's git and puts its files into an empty directory.
    ///
    /// Modes are git's, whatever the umask is. Configuration, hooks, keys and logins of the host and of the user do not
    /// count; submodules come by the same rules. Without `keep-git-dir` no `.git` is left. What has been made when it
    /// fails is the caller's to remove.
    /// - Parameter directory: an absolute path, ours alone.
    /// - Throws: `unavailable` without git or a way to the server, `notFound` for a repository or ref that is not there,
    ///   `unauthenticated`, `dataLoss` for a commit that does not match the checksum.
    package func checkOut(into directory: String, _ access: GitAccess) throws(Failure) -> GitCheckout {
        let git = try GitProgram(access, for: self)
        let wanted = try wanted(git)
        try prepare(directory, wanted, git)
        let (commit, object) = try fetch(wanted, into: directory, git)
        try check(commit, object)
        try done(
            git.run(["checkout", "--quiet", "--force", "--detach", commit], in: directory),
            "check out \(commit)")
        guard let time = try GitCommitTime.newest(above: directory) else {
            throw Failure(.internal, "\(address): a checkout without a commit")
        }
        let root = try during("open \(directory)") { () throws(SystemError) in
            SharedFileDescriptor(try FileDescriptor.open(directory, [.readOnly, .directory]))
        }
        let submodules = try fetchSubmodules(root, directory, git)
        if !keepsGitDirectory { try removeGit(root, withSubmodules: submodules) }
        return GitCheckout(directory: try open(subdirectory, in: root), commit: commit, time: time)
    }

    /// What is asked of the server: a ref's full name, or a commit.
    private enum Wanted {
        case ref(String)
        case commit(String)
    }

    private func wanted(_ git: GitProgram) throws(Failure) -> Wanted {
        if case .commit(let hex) = ref { return .commit(hex) }
        let found = try find(git)
        // Before anything large is fetched.
        try check(found.commit, found.object)
        return .ref(found.name)
    }

    private func find(_ git: GitProgram) throws(Failure) -> (name: String, commit: String, object: String) {
        let candidates = ref?.candidates ?? ["HEAD"]
        let patterns = candidates.flatMap { [$0, "\($0)^{}"] }
        let answer = try git.run(["ls-remote", "--quiet", "--", address] + patterns, in: nil)
        guard answer.isDone else { throw failure(answer, "") }
        // Patterns match the ends of names, too.
        var objects: [String: String] = [:]
        for line in answer.output.split(separator: "\n") {
            let words = line.split(separator: "\t")
            if words.count == 2, GitObjectName(hex: words[0].utf8) != nil {
                objects[String(words[1])] = String(words[0])
            }
        }
        for name in candidates {
            guard let object = objects[name] else { continue }
            // An annotated tag is an object of its own, which leads to the commit.
            return (name, objects["\(name)^{}"] ?? object, object)
        }
        guard let ref else { throw Failure(.notFound, "\(address) has no commit yet") }
        throw refNotFound(ref.text)
    }

    private func refNotFound(_ name: String) -> Failure {
        let isShort = (4..<40).contains(name.utf8.count) && name.utf8.allSatisfy(GitRef.isHexDigit)
        return Failure(
            .notFound, "\(address) has no ref \(name)",
            hint: isShort ? "a commit is named by all of its 40 digits" : nil)
    }

    private func prepare(_ directory: String, _ wanted: Wanted, _ git: GitProgram) throws(Failure) {
        var format = "sha1"
        if case .commit(let hex) = wanted, hex.utf8.count == 64 { format = "sha256" }
        try done(
            git.run(
                ["init", "--quiet", "--template=", "--object-format=\(format)", "--", directory], in: nil),
            "prepare a work tree")
        try done(git.run(["remote", "add", "--", "origin", address], in: directory), "prepare a work tree")
    }

    /// The commit, and the tag's object if it is one that leads to it.
    private func fetch(_ wanted: Wanted, into directory: String, _ git: GitProgram) throws(Failure) -> (
        commit: String, object: String
    ) {
        let fetch = ["fetch", "--quiet", "--no-tags", "--force"]
        var refspecs: [String]
        var name: String
        switch wanted {
        case .commit(let hex): (refspecs, name) = ([hex], hex)
        case .ref(let ref): (refspecs, name) = ([GitSource.refspec(ref)], "FETCH_HEAD")
        }
        var answer = try git.run(fetch + ["--depth=1", "--", "origin"] + refspecs, in: directory)
        let complaints = answer.complaints.lowercased()
        // A server without shallow fetches, or one that gives only what a ref names.
        if !answer.isDone,
            ["shallow", "not our ref", "unadvertised object"].contains(where: { complaints.contains($0) })
        {
            if case .commit = wanted {
                refspecs = ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
            }
            answer = try git.run(fetch + ["--", "origin"] + refspecs, in: directory)
        }
        guard answer.isDone else { throw failure(answer, "") }
        func object(_ expression: String) throws(Failure) -> String {
            let answer = try git.run(["rev-parse", "--verify", "--quiet", expression], in: directory)
            let hex = String(answer.output.prefix { $0 != "\n" })
            guard answer.isDone, GitObjectName(hex: hex.utf8) != nil else {
                throw Failure(.notFound, "\(address) has no commit \(ref?.text ?? name)")
            }
            return hex
        }
        return (try object("\(name)^{commit}"), try object("\(name)^{object}"))
    }

    /// Where a ref is kept, so that a `.git` that stays knows it by its name.
    private static func refspec(_ ref: String) -> String {
        if ref.hasPrefix("refs/heads/") { return "+\(ref):refs/remotes/origin/\(ref.dropFirst(11))" }
        if ref.hasPrefix("refs/tags/") { return "+\(ref):\(ref)" }
        return ref
    }

    private func check(_ commit: String, _ object: String) throws(Failure) {
        guard let checksum else { return }
        // Nothing is a prefix of everything.
        guard GitRef.isChecksum(checksum) else { throw GitSource.notChecksum(checksum) }
        if commit.hasPrefix(checksum) || object.hasPrefix(checksum) { return }
        throw Failure(
            .dataLoss, "\(address): the commit is \(commit), which does not match the checksum \(checksum)")
    }

    /// Whether there are any.
    private func fetchSubmodules(
        _ root: SharedFileDescriptor, _ directory: String, _ git: GitProgram
    ) throws(Failure) -> Bool {
        guard fetchesSubmodules, try GitFile.open(RawPath(".gitmodules"), in: root.raw) != nil else {
            return false
        }
        let update = ["submodule", "--quiet", "update", "--init", "--recursive"]
        var answer = try git.run(update + ["--depth=1"], in: directory)
        if !answer.isDone { answer = try git.run(update, in: directory) }
        guard answer.isDone else { throw failure(answer, "submodules: ") }
        return true
    }

    private func removeGit(_ root: SharedFileDescriptor, withSubmodules: Bool) throws(Failure) {
        try during("remove .git") { () throws(SystemError) in
            try Directory.removeTree(".git", in: root.raw)
            if withSubmodules { try GitSource.removeGitFiles(below: root.raw, depth: 0) }
        }
    }

    /// No file that a repository holds can have this name: only submodules' links to what is gone.
    private static func removeGitFiles(below directory: Int32, depth: Int) throws(SystemError) {
        guard depth < 128 else { return }
        let listing = try FileDescriptor.open(".", in: directory, [.readOnly, .directory])
        for entry in try Directory.entries(of: listing) {
            if entry.name.bytes.elementsEqual(".git".utf8) {
                try Directory.removeTree(entry.name, in: directory)
            } else if entry.kind == .directory {
                let below = try Directory.open(entry.name, in: directory)
                try removeGitFiles(below: below.raw, depth: depth + 1)
            }
        }
    }

    private func open(_ subdirectory: String, in root: SharedFileDescriptor) throws(Failure)
        -> SharedFileDescriptor
    {
        guard !subdirectory.isEmpty else { return root }
        do throws(SystemError) {
            return SharedFileDescriptor(
                try FileDescriptor.open(
                    subdirectory, in: root.raw, [.readOnly, .directory], resolve: [.inRoot]))
        } catch {
            guard error.code == .notFound || error.code == .invalidArgument else {
                throw error.failure("open \(subdirectory)")
            }
            throw Failure(.notFound, "\(address) has no directory \(GitSource.printable(subdirectory))")
        }
    }

    private func done(_ answer: GitProgram.Answer, _ doing: String) throws(Failure) {
        guard answer.isDone else { throw failure(answer, "\(doing): ") }
    }
}
