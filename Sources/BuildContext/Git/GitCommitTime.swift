package import Failure

/// When the newest commit was made of the work tree that a path lies in: what SOURCE_DATE_EPOCH of a build is by default.
///
/// Files are read, git is never run: what a repository's own configuration says is a stranger's, and it can name programs.
package enum GitCommitTime {
    /// The committer's time of HEAD's commit in seconds since 1970, as git's `%ct`; replacements (`refs/replace`) are not
    /// looked at.
    ///
    /// nil where no `.git` is above the path on its file system, where HEAD's branch has no commit yet, and where refs are
    /// kept in a form that is not read here (reftable).
    /// - Throws: `dataLoss` for a repository that is damaged, lacks HEAD's commit (a shallow or partial clone has it) or
    ///   keeps it in a pack with an index of version 1.
    package static func newest(above path: String) throws(Failure) -> Int64? {
        do throws(Failure) {
            guard let repository = try GitRepository.find(above: path), let name = try repository.head()
            else { return nil }
            return try GitObjects(repository.common).time(ofCommit: name)
        } catch {
            throw error.within("git repository of \(path)")
        }
    }
}
