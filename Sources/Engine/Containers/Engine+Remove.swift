internal import ContainerMonitor
internal import EventJournal
package import Failure
internal import ImageStore
package import LinuxSystem
internal import OCI
internal import Runtime

extension Engine {
    /// Removes containers; their names are free when it returns, their files go in the background.
    ///
    /// - Parameters:
    ///   - force: a running one is killed first.
    ///   - volumes: their anonymous volumes go too; those of `--rm` containers always do.
    package func remove(
        _ records: [ContainerRecord], force: Bool, volumes: Bool, report: (ContainerRecord, Failure?) -> Void
    ) {
        var quiet: [ContainerRecord] = []
        var running: [ContainerRecord] = []
        for record in records {
            do throws(Failure) {
                if try state(of: record).isRunning {
                    guard force else { throw Engine.runs(record) }
                    running.append(record)
                } else {
                    quiet.append(record)
                }
            } catch {
                report(record, error)
            }
        }
        stop(running, signal: nil, timeout: 0) { record, failure in
            if let failure { report(record, failure) } else { quiet.append(record) }
        }
        for record in quiet {
            do throws(Failure) {
                while try !removeOne(record, volumes: volumes) {
                    guard force else { throw Engine.runs(record) }
                    var failure: Failure?
                    stop([record], signal: nil, timeout: 0) { failure = $1 }
                    if let failure { throw failure }
                }
                report(record, nil)
            } catch {
                // Its monitor was faster (--rm).
                report(record, error.code == .notFound ? nil : error)
            }
        }
        emptyTrashInBackground()
    }

    private static func runs(_ record: ContainerRecord) -> Failure {
        Failure(
            .conflict,
            "cannot remove container \"\(record.name)\": container is running: stop the container before removing or force remove"
        )
    }

    /// False where it was started while this waited for its lock.
    private func removeOne(_ record: ContainerRecord, volumes: Bool) throws(Failure) -> Bool {
        let lock = try containerStore.lock(record)
        guard try !state(of: record).isRunning else { return false }
        try giveNetworksBack(of: record.id, isAbandoned: true)
        try releaseVolumes(of: record, removingAnonymous: volumes || record.settings.autoRemove)
        try removeLeftCgroups(of: record)
        try containerStore.remove(record)
        try? releaseKeptAddresses(of: record)
        releaseLevel(of: record)
        try? Directory.removeTree(runDirectory(of: record.id))
        tell("destroy", record)
        _ = consume lock
        return true
    }

    /// For `--rm`: the container has ended; by its monitor or its foreground client, whoever comes first.
    /// - Returns: as `giveNetworksBack`.
    @discardableResult
    package func removeEnded(_ id: String) throws(Failure) -> SharedFileDescriptor? {
        guard let record = try containerStore.record(of: id), record.settings.autoRemove else { return nil }
        if let run = try runState(of: record), run.process.isAlive { return nil }
        let rules: SharedFileDescriptor?
        do throws(Failure) {
            let lock = try containerStore.lock(record)
            rules = try giveNetworksBack(of: id)
            try releaseVolumes(of: record, removingAnonymous: true)
            try containerStore.remove(record)
            try? releaseKeptAddresses(of: record)
            releaseLevel(of: record)
            try? Directory.removeTree(runDirectory(of: id))
            tell("destroy", record)
            _ = consume lock
            if record.settings.life.removesImage { removeUnusedImage(of: record) }
        } catch {
            if error.code == .notFound { return nil }
            throw error
        }
        emptyTrashInBackground()
        return rules
    }

    /// `--rmi`. One that another container or name needs stays.
    private func removeUnusedImage(of record: ContainerRecord) {
        guard let image = try? image(record.image), image.id.description == record.imageID else { return }
        _ = try? removeImage(record.image, force: false)
    }

    /// Its monitor removes them; one that was killed did not.
    private func removeLeftCgroups(of record: ContainerRecord) throws(Failure) {
        guard try runState(of: record) != nil else { return }
        let layout = try hostFacts().cgroups
        let parent = record.settings.cgroupParent
        let top = parent.isEmpty || parent.hasSuffix(".slice") ? "ctr" : parent
        for mount in layout.hierarchies.map(\.mount) + (layout.unifiedMount.map { [$0] } ?? []) {
            CgroupRemoval.remove(["\(mount)/\(top)/\(record.id)"]) { Process.sleep(microseconds: 2000) }
        }
    }

    package func rename(_ record: ContainerRecord, to name: String) throws(Failure) {
        let lock = try containerStore.lock(record)
        var renamed = record
        try containerStore.rename(&renamed, to: name)
        try renameOnNetworks(renamed)
        tell("rename", renamed, [.init("oldName", "/\(record.name)")])
        _ = consume lock
    }
}
