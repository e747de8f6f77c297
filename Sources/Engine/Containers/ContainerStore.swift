package import Failure
package import ImageStore
package import LinuxSystem

/// The containers of a root and their names.
///
/// ```
/// containers/.new/<id>/       one that is being made; renamed to
/// containers/<id>/            whole or absent
///   record                    what was asked for at create (`ContainerRecord`)
///   exit                      the last run's end, by the monitor (`ExitRecord`)
///   stopped                   there after `stop`: the restart policy is over
///   lock                      flock: exclusive for start, stop's mark, rename, removal
///   upper/ work/              the container's own layer
///   hosts hostname resolv.conf
///   logs/000001.log …
/// names/<name>                a symbolic link to ../containers/<id>; the name is taken while that container is there
/// ```
///
/// `locks/names` is held exclusively from the look at a name to the rename that takes or frees it; `locks/creating` shared
/// by who has something below `.new`, so that what is there while nobody holds it was left by the dead.
package struct ContainerStore: Sendable {
    package let root: StoreRoot

    package init(root: StoreRoot) { self.root = root }

    private var raw: Int32 { root.descriptor.raw }

    package func directory(of id: String) throws(Failure) -> FileDescriptor {
        try during("open container \(id.prefix(12))") { () throws(SystemError) in
            try Directory.open("containers/\(id)", in: raw)
        }
    }

    // MARK: looking up

    package func ids() throws(Failure) -> [String] {
        try during("list the containers") { () throws(SystemError) in
            do throws(SystemError) {
                let names = try Directory.names(in: try Directory.open("containers", in: raw))
                return names.filter { $0.utf8.count == 64 }
            } catch {
                if error.code == .notFound { return [] }
                throw error
            }
        }
    }

    /// The container of a full id, a name, or a prefix of an id that only one container has.
    package func resolve(_ word: String) throws(Failure) -> ContainerRecord {
        if ContainerID.isWhole(word), let record = try record(of: word) { return record }
        if ContainerName.isValid(word), let id = try owner(ofName: word), let record = try record(of: id) {
            return record
        }
        let matches = ContainerID.isPrefix(word) ? try ids().filter { $0.hasPrefix(word) } : []
        guard let id = matches.first else { throw Failure(.notFound, "No such container: \(word)") }
        guard matches.count == 1 else {
            throw Failure(
                .conflict, "\"\(word)\" is the beginning of \(matches.count) containers' ids",
                hint: "give more digits of the id, or the name")
        }
        guard let record = try record(of: id) else { throw Failure(.notFound, "No such container: \(word)") }
        return record
    }

    /// nil where there is no such container (any more).
    package func record(of id: String) throws(Failure) -> ContainerRecord? {
        let bytes = try during("read container \(id.prefix(12))") { () throws(SystemError) in
            try AtomicFile.read("containers/\(id)/record", in: raw)
        }
        guard let bytes else { return nil }
        return try ContainerRecord(parsing: bytes, id: id)
    }

    package func all() throws(Failure) -> [ContainerRecord] {
        var records: [ContainerRecord] = []
        for id in try ids() {
            if let record = try record(of: id) { records.append(record) }
        }
        return records.sorted { ($0.created, $0.id) > ($1.created, $1.id) }
    }

    private func owner(ofName name: String) throws(Failure) -> String? {
        try during("read the name \(name)") { () throws(SystemError) in
            do throws(SystemError) {
                let target = try Directory.readLink("names/\(name)", in: raw).bytes
                let begin = target.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
                return String(decoding: target[begin...], as: UTF8.self)
            } catch {
                // What is no link is no name.
                if error.isMissing || error.isInvalid { return nil }
                throw error
            }
        }
    }

    // MARK: making

    /// Makes the container's directory with its record and takes its name, or a generated one where it is nil.
    /// `prepare` fills the directory before it gets its id. `durable` waits for the disk.
    package func create(
        _ record: inout ContainerRecord, name: String?, durable: Bool,
        prepare: (borrowing FileDescriptor, ContainerRecord) throws(Failure) -> Void
    ) throws(Failure) {
        if let name { try ContainerName.check(name) }
        try during("make the container directory") { () throws(SystemError) in
            for directory in ["containers", "containers/.new", "names", "locks"] {
                try Directory.ensure(directory, in: raw)
            }
        }
        try sweep()
        let creating = try during("lock the containers") { () throws(SystemError) in
            try FileLock("locks/creating", in: raw, .shared)
        }
        defer { _ = creating.raw }
        // A name that is taken is told before a volume is filled for nothing; what counts is the look under the lock.
        if let name { try checkFree(name) }
        let fresh = "containers/.new/\(record.id)"
        try during("make container \(record.id.prefix(12))") { () throws(SystemError) in
            try Directory.make(fresh, in: raw)
        }
        do throws(Failure) {
            let directory = try during("open \(fresh)") { () throws(SystemError) in
                try Directory.open(fresh, in: raw)
            }
            try prepare(directory, record)
            try finish(&record, name, fresh, directory, durable: durable)
        } catch {
            try? Directory.removeTree(fresh, in: raw)
            throw error
        }
    }

    /// The record, the name, and the rename that makes it a container. Two waits for the disk: one for the record's bytes,
    /// one for all names.
    private func finish(
        _ record: inout ContainerRecord, _ name: String?, _ fresh: String,
        _ directory: borrowing FileDescriptor,
        durable: Bool
    ) throws(Failure) {
        let lock = try namesLock()
        if let name { record.name = try checkFree(name) } else { record.name = try generateName() }
        let finished = record
        let parent = directory.raw
        try during("write container \(record.id.prefix(12))") { () throws(SystemError) in
            // Not by another name first: nobody reads in a directory that is being made.
            let file = try FileDescriptor.open(
                "record", in: parent, [.writeOnly, .create, .exclusive, .noFollow])
            try file.write(finished.bytes)
            if durable { try file.synchronizeData() }
            failpoint("container.create")
            // The name first: one that leads to no container is free, a container without its name would not be.
            try point(finished.name, at: finished.id)
            failpoint("container.name")
            try Directory.rename(fresh, in: raw, to: "containers/\(finished.id)", in: raw, replace: false)
            guard durable else { return }
            try AtomicFile.synchronize(directory: parent)
            for changed in ["names", "containers"] { try Directory.open(changed, in: raw).synchronize() }
        }
        _ = consume lock
    }

    /// Under the names' lock. A link that leads to no container is in the way of nobody.
    private func point(_ name: String, at id: String) throws(SystemError) {
        let target = "../containers/\(id)"
        do throws(SystemError) {
            try Directory.symlink(target, at: "names/\(name)", in: raw)
        } catch {
            guard error.isExists else { throw error }
            try Directory.removeFile("names/\(name)", in: raw)
            try Directory.symlink(target, at: "names/\(name)", in: raw)
        }
    }

    private func namesLock() throws(Failure) -> FileLock {
        try during("lock the names") { () throws(SystemError) in
            try Directory.ensure("locks", in: raw)
            return try FileLock("locks/names", in: raw, .exclusive)
        }
    }

    /// The name if no container has it; that it stays so takes the names' lock.
    @discardableResult
    private func checkFree(_ name: String) throws(Failure) -> String {
        guard let owner = try owner(ofName: name), try record(of: owner) != nil else { return name }
        throw Failure(
            .conflict,
            "The container name \"/\(name)\" is already in use by container \"\(owner)\"",
            hint: "remove or rename that container, or choose another name")
    }

    private func generateName() throws(Failure) -> String {
        for attempt in 0..<64 {
            let candidate = ContainerName.random(suffix: attempt > 4)
            let isTaken = try during("look up a name") { () throws(SystemError) in
                try FileDescriptor.exists("names/\(candidate)", in: raw)
            }
            if !isTaken { return candidate }
        }
        return "c" + randomHex(bytes: 8)
    }

    // MARK: changing

    /// nil where somebody else has it, or the container is gone.
    package func attemptLock(_ record: ContainerRecord) throws(Failure) -> FileLock? {
        do throws(SystemError) {
            let directory = try Directory.open("containers/\(record.id)", in: raw)
            return try FileLock.attempt("lock", in: directory.raw, .exclusive)
        } catch {
            if error.code == .notFound { return nil }
            throw error.failure("lock container \(record.name)")
        }
    }

    /// The container's lock. The container may have been removed while this waited: then `.notFound`.
    package func lock(_ record: ContainerRecord) throws(Failure) -> FileLock {
        do throws(SystemError) {
            let directory = try Directory.open("containers/\(record.id)", in: raw)
            let lock = try FileLock("lock", in: directory.raw, .exclusive)
            if try FileDescriptor.exists("containers/\(record.id)", in: raw) { return lock }
        } catch {
            guard error.code == .notFound else { throw error.failure("lock container \(record.name)") }
        }
        throw Failure(.notFound, "No such container: \(record.name)")
    }

    /// Writes the record anew (rename, update of a policy). Under the container's lock.
    package func update(_ record: ContainerRecord) throws(Failure) {
        let directory = try directory(of: record.id)
        try during("write container \(record.name)") { () throws(SystemError) in
            try AtomicFile.write(record.bytes, to: "record", in: directory.raw)
        }
    }

    /// Under the container's lock.
    package func rename(_ record: inout ContainerRecord, to name: String) throws(Failure) {
        try ContainerName.check(name)
        let lock = try namesLock()
        let old = record.name
        // A rename that was killed half-way can be repeated.
        if try owner(ofName: name) != record.id { try checkFree(name) }
        record.name = name
        let id = record.id
        try during("rename \(old) to \(name)") { () throws(SystemError) in
            try point(name, at: id)
            try Directory.open("names", in: raw).synchronize()
        }
        // Killed here, both names lead to the container; the record's is the one that is shown.
        try update(record)
        try? Directory.removeFile("names/\(old)", in: raw)
        _ = consume lock
    }

    /// Removal by rename into the trash; the name is free when it returns. Under the container's lock.
    package func remove(_ record: ContainerRecord) throws(Failure) {
        let lock = try namesLock()
        try during("remove container \(record.name)") { () throws(SystemError) in
            try root.moveToTrash("containers/\(record.id)")
        }
        failpoint("container.remove")
        if try owner(ofName: record.name) == record.id {
            try during("free the name \(record.name)") { () throws(SystemError) in
                try Directory.removeFile("names/\(record.name)", in: raw)
            }
        }
        _ = consume lock
    }

    /// What the dead have left below `.new`.
    private func sweep() throws(Failure) {
        try during("sweep half-made containers") { () throws(SystemError) in
            let names = try Directory.names(in: try Directory.open("containers/.new", in: raw))
            guard !names.isEmpty, let lock = try FileLock.attempt("locks/creating", in: raw, .exclusive)
            else {
                return
            }
            for name in names { try root.moveToTrash("containers/.new/\(name)") }
            _ = consume lock
        }
    }
}
