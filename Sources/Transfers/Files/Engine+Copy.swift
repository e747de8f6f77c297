package import Engine
package import Failure
internal import LinuxSystem

extension Engine {
    /// `cp CONTAINER:PATH TARGET`; `-` as the target writes a tar of it to the standard output.
    package func copy(
        from record: ContainerRecord, _ path: String, to target: String, _ request: CopyRequest
    ) throws(Failure) {
        let policy =
            request.keepsOwners
            ? CopyPolicy.outOf(record.settings.userNamespace.maps)
            : CopyPolicy(
                owner: CopyPolicy.Owner(uid: Process.effectiveUID, gid: Process.effectiveGID),
                dropsRights: true)
        try ContainerView(engine: self, record: record).withFiles { (root) throws(Failure) in
            let source = CopySource(
                side: CopySide(root: root, record), given: path, follows: request.followsLink)
            if target == "-" {
                try source.writeTar(to: 1)
            } else {
                try CopyTarget(side: .host, given: target).take(source, policy)
            }
        }
        tell("archive-path", record)
    }

    /// `cp SOURCE CONTAINER:PATH`; `-` as the source unpacks a tar from the standard input.
    package func copy(
        from source: String, to record: ContainerRecord, _ path: String, _ request: CopyRequest
    ) throws(Failure) {
        do throws(Failure) {
            try ContainerView(engine: self, record: record).withFiles { (root) throws(Failure) in
                let target = CopyTarget(side: CopySide(root: root, record), given: path)
                if source == "-" {
                    try target.unpack(from: 0)
                } else {
                    try target.take(
                        CopySource(side: .host, given: source, follows: request.followsLink),
                        .into(record.settings.userNamespace.maps, keepsOwners: request.keepsOwners))
                }
            }
        } catch {
            guard let cause = error.cause as? SystemError, cause.isReadOnly else { throw error }
            throw Engine.readOnly(record, path)
        }
        tell("extract-to-dir", record)
    }

    private static func readOnly(_ record: ContainerRecord, _ path: String) -> Failure {
        let whole = "/" + path.split(separator: "/").joined(separator: "/") + "/"
        let inVolume = record.mounts.contains { $0.isReadOnly && whole.hasPrefix($0.target + "/") }
        return Failure(
            .permissionDenied,
            inVolume || !record.settings.readOnly
                ? "mounted volume is marked read-only" : "container rootfs is marked read-only",
            hint: "nothing was copied to \(record.name):\(path)")
    }
}

extension CopySide {
    fileprivate init(root: Int32, _ record: ContainerRecord) {
        self.init(root: root, container: record.name, maps: record.settings.userNamespace.maps)
    }
}

/// What is copied: resolved, checked, not yet read.
struct CopySource {
    let side: CopySide
    let given: String
    let follows: Bool
    var path: CopyPath { CopyPath(given) }

    /// - Throws: `notFound` in docker's words.
    func locate() throws(Failure) -> CopySide.Place {
        let path = path
        let place: CopySide.Place
        do throws(SystemError) {
            place = try side.locate(path, follow: follows || path.wantsDirectory)
        } catch {
            if error.isMissing { throw missing }
            throw error.failure("copy \(given)")
        }
        guard let status = place.status else { throw missing }
        if path.wantsDirectory, status.kind != .directory {
            throw Failure(.invalidArgument, "copy \(given): not a directory")
        }
        return place
    }

    private var missing: Failure {
        side.root == nil
            ? Failure(.notFound, "lstat \(given): no such file or directory")
            : Failure(.notFound, "Could not find the file \(given) in container \(side.container)")
    }
}

/// Where it goes.
struct CopyTarget {
    let side: CopySide
    let given: String

    /// docker's rules: into a directory that is there, or to a new name in one; the contents alone with `SRC/.`.
    func take(_ source: borrowing CopySource, _ policy: CopyPolicy) throws(Failure) {
        let from = try source.locate()
        let path = source.path
        let isDirectory = from.status?.kind == .directory
        let wanted = CopyPath(given)
        let place = try locate(wanted)
        var copy = FileCopy(policy: policy)
        guard let status = place.status else {
            if wanted.wantsDirectory, !isDirectory {
                throw Failure(
                    .notFound, "copy to \(shown): no such directory",
                    hint: "make it, or leave the / at the end out")
            }
            return try copy.copy(from.name, in: from.parent.raw, to: place.name, in: place.parent.raw)
        }
        if status.kind == .directory {
            let directory = try openDirectory(place)
            if isDirectory, path.wantsContents {
                let contents = try during("copy \(source.given)") { () throws(SystemError) in
                    try FileDescriptor.open(
                        from.name, in: from.parent.raw, [.readOnly, .directory, .noFollow],
                        resolve: .noSymlinks)
                }
                return try copy.copyContents(of: contents.raw, to: directory.raw)
            }
            return try copy.copy(from.name, in: from.parent.raw, to: path.name, in: directory.raw)
        }
        if isDirectory {
            throw Failure(.invalidArgument, "copy to \(shown): cannot copy a directory onto a file")
        }
        if wanted.wantsDirectory { throw Failure(.invalidArgument, "copy to \(shown): not a directory") }
        try copy.copy(from.name, in: from.parent.raw, to: place.name, in: place.parent.raw)
    }

    func locate(_ path: CopyPath) throws(Failure) -> CopySide.Place {
        do throws(SystemError) {
            return try side.locate(path, follow: true)
        } catch {
            if error.isMissing {
                throw Failure(
                    .notFound,
                    side.root == nil
                        ? "invalid output path: directory \"\(path.directory)\" does not exist"
                        : "Could not find the file \(path.directory) in container \(side.container)",
                    hint: "make the directory first")
            }
            throw error.failure("copy to \(shown)")
        }
    }

    func openDirectory(_ place: borrowing CopySide.Place) throws(Failure) -> FileDescriptor {
        try during("copy to \(shown)") { () throws(SystemError) in
            try FileDescriptor.open(
                place.name, in: place.parent.raw, [.pathOnly, .directory, .noFollow], resolve: .noSymlinks)
        }
    }

    var shown: String { side.root == nil ? given : "\(side.container):\(given)" }
}
