internal import Failure
internal import LinuxSystem

/// The directories of a repository, as its work tree leads to them: one, or two where it is a linked work tree.
struct GitRepository {
    /// HEAD's.
    let directory: SharedFileDescriptor
    /// The branches' and the objects'.
    let common: SharedFileDescriptor

    /// `packed-refs` of a million refs.
    private static let longestPackedRefs = 128 << 20
    /// As git's own SYMREF_MAXDEPTH.
    private static let mostSymbolicRefs = 5

    /// Upward from a directory to the nearest `.git`, not further than its file system goes, as git itself does it.
    static func find(above path: String) throws(Failure) -> GitRepository? {
        var (place, here) = try opened(path, in: currentDirectory)
        while true {
            if let found = try at(place) { return found }
            let (parent, above) = try opened("..", in: place.raw)
            guard above.device == here.device, above.inode != here.inode else { return nil }
            (place, here) = (parent, above)
        }
    }

    private static func opened(_ path: String, in directory: Int32) throws(Failure) -> (
        SharedFileDescriptor, FileStatus
    ) {
        try during("open \(path)") { () throws(SystemError) in
            let place = SharedFileDescriptor(
                try FileDescriptor.open(path, in: directory, [.pathOnly, .directory]))
            return (place, try FileDescriptor.status("", in: place.raw, emptyPath: true))
        }
    }

    /// nil where there is no `.git`, or none that is a repository: git looks further up then, too.
    private static func at(_ place: SharedFileDescriptor) throws(Failure) -> GitRepository? {
        if let directory = try GitFile.directory(RawPath(".git"), in: place.raw) {
            return try repository(directory)
        }
        // A linked work tree or a submodule: `gitdir: PATH`.
        let prefix = Array("gitdir: ".utf8)
        guard let text = try GitFile.read(RawPath(".git"), in: place.raw, limit: 8192),
            text.starts(with: prefix),
            let directory = try GitFile.directory(
                RawPath(GitFile.line(text[prefix.count...])), in: place.raw)
        else { return nil }
        return try repository(directory)
    }

    private static func repository(_ directory: SharedFileDescriptor) throws(Failure) -> GitRepository? {
        var common = directory
        if let text = try GitFile.read(RawPath("commondir"), in: directory.raw, limit: 8192) {
            guard let found = try GitFile.directory(RawPath(GitFile.line(text[...])), in: directory.raw)
            else { return nil }
            common = found
        }
        // HEAD was a symbolic link once, which leads nowhere before the first commit.
        let hasHead = try during("look for HEAD") { () throws(SystemError) in
            try FileDescriptor.exists("HEAD", in: directory.raw)
        }
        guard hasHead, try GitFile.directory(RawPath("objects"), in: common.raw) != nil
        else { return nil }
        return GitRepository(directory: directory, common: common)
    }

    /// The commit that HEAD leads to; nil where its branch has none, or is kept in a reftable.
    func head() throws(Failure) -> GitObjectName? {
        var name = Array("HEAD".utf8)
        for _ in 0...GitRepository.mostSymbolicRefs {
            let shown = RawPath(name).shown
            guard let text = try GitFile.read(RawPath(name), in: home(of: name).raw, limit: 8192) else {
                return try packed(name)
            }
            let line = GitFile.line(text[...])
            let prefix = Array("ref:".utf8)
            guard line.starts(with: prefix) else {
                guard let object = GitObjectName(hex: line.prefix { $0 != UInt8(ascii: " ") }) else {
                    throw Failure(.dataLoss, "\(shown) names no commit")
                }
                return object
            }
            name = Array(line[prefix.count...].drop { $0 == UInt8(ascii: " ") || $0 == 9 })
            guard GitRepository.isRef(name) else {
                throw Failure(.dataLoss, "\(shown) leads to something that is no ref")
            }
        }
        throw Failure(.dataLoss, "HEAD leads from ref to ref without an end")
    }

    /// Some refs are a work tree's own (gitrepository-layout(5)).
    private func home(of name: [UInt8]) -> SharedFileDescriptor {
        let own = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"]
        let isOwn =
            !name.contains(UInt8(ascii: "/")) || own.contains { name.starts(with: $0.utf8) }
        return isOwn ? directory : common
    }

    /// A name that stays below `refs`.
    private static func isRef(_ name: [UInt8]) -> Bool {
        name.count < 4096 && name.starts(with: "refs/".utf8) && !name.contains(0)
            && name.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy {
                !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
            }
    }

    private func packed(_ name: [UInt8]) throws(Failure) -> GitObjectName? {
        guard
            let bytes = try GitFile.read(
                RawPath("packed-refs"), in: common.raw, limit: GitRepository.longestPackedRefs)
        else { return nil }
        return try GitPackedRefs(bytes).object(of: name)
    }
}
