package import Failure
package import ImageStore
package import LinuxSystem

/// The containers of a root and their names.
///
/// ```
/// containers/<id>/            made as containers/new-<id>/ and renamed: whole or absent
///   record                    what was asked for at create (`ContainerRecord`)
///   exit                      the last run's end, by the monitor (`ExitRecord`)
///   stopped                   there after `stop`: the restart policy is over
///   lock                      flock: exclusive for start, stop's mark, rename, removal
///   upper/ work/              the container's own layer
///   hosts hostname resolv.conf
///   logs/000001.log …
/// names/<name>                one line, the id; the name is taken while that container is there
/// ```
///
/// `locks/names` is held exclusively from the look at a name to the rename that takes or frees it.
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
                .invalidArgument, "\"\(word)\" is the beginning of \(matches.count) containers' ids",
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
        let bytes = try during("read the name \(name)") { () throws(SystemError) in
            try AtomicFile.read("names/\(name)", in: raw, limit: 256)
        }
        guard let bytes else { return nil }
        return String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
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
            try Directory.ensure("containers", in: raw)
            try Directory.ensure("names", in: raw)
        }
        let fresh = "containers/new-\(record.id)"
        let lock = try namesLock()
        try sweep()
        try during("make container \(record.id.prefix(12))") { () throws(SystemError) in
            try Directory.make(fresh, in: raw)
        }
        do throws(Failure) {
            if let name { record.name = try free(name) } else { record.name = try generateName() }
            let directory = try during("open \(fresh)") { () throws(SystemError) in
                try Directory.open(fresh, in: raw)
            }
            try prepare(directory, record)
            let finished = record
            try during("write container \(record.id.prefix(12))") { () throws(SystemError) in
                try AtomicFile.write(finished.bytes, to: "record", in: directory.raw, durable: durable)
                failpoint("container.create")
                // The name first: one that leads to no container is free, a container without its name would not be.
                let names = try Directory.open("names", in: raw)
                try AtomicFile.write(
                    Array("\(finished.id)\n".utf8), to: finished.name, in: names.raw, durable: durable)
                failpoint("container.name")
                try Directory.rename(fresh, in: raw, to: "containers/\(finished.id)", in: raw, replace: false)
                if durable {
                    try Directory.open("containers", in: raw).synchronize()
                }
            }
        } catch {
            try? Directory.removeTree(fresh, in: raw)
            throw error
        }
        _ = consume lock
    }

    private func namesLock() throws(Failure) -> FileLock {
        try during("lock the names") { () throws(SystemError) in
            try Directory.ensure("locks", in: raw)
            return try FileLock("locks/names", in: raw, .exclusive)
        }
    }

    /// Under the names' lock: the name if no living container has it.
    private func free(_ name: String) throws(Failure) -> String {
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
        if try owner(ofName: name) != record.id { _ = try free(name) }
        record.name = name
        let id = record.id
        try during("rename \(old) to \(name)") { () throws(SystemError) in
            let names = try Directory.open("names", in: raw)
            try AtomicFile.write(Array("\(id)\n".utf8), to: name, in: names.raw)
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

    /// Half-made containers and names of processes that are gone, under the names' lock: who makes one holds it.
    private func sweep() throws(Failure) {
        try during("sweep half-made containers") { () throws(SystemError) in
            guard try FileDescriptor.exists("containers", in: raw) else { return }
            for name in try Directory.names(in: try Directory.open("containers", in: raw))
            where name.hasPrefix("new-") {
                try root.moveToTrash("containers/\(name)")
            }
            for name in try Directory.names(in: try Directory.open("names", in: raw))
            where name.hasPrefix(".") {
                try Directory.removeFile("names/\(name)", in: raw)
            }
        }
    }
}
