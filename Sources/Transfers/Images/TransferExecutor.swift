internal import Engine
internal import Failure
internal import LinuxSystem
internal import Synchronization

/// Threads of their own for the tasks of a transfer: unpacking and hashing wait for disks and for each other, which
/// the concurrency runtime's few threads are not there for.
final class TransferExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var isOver = false
    }

    private let condition = Condition()
    private let state = Mutex(State())
    private let threads = Mutex<[Thread]>([])

    /// - Parameter width: how many tasks can wait at once.
    static func start(width: Int) throws(Failure) -> TransferExecutor {
        let executor = TransferExecutor()
        do throws(Failure) {
            for _ in 0..<width {
                let thread = try during("start a transfer") { () throws(SystemError) in
                    try Thread("transfer") { executor.work() }
                }
                executor.threads.withLock { $0.append(thread) }
            }
        } catch {
            executor.stop()
            throw error
        }
        return executor
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        condition.locked {
            state.withLock { $0.jobs.append(job) }
            condition.wakeAll()
        }
    }

    /// When the last task has ended: waits for the threads.
    func stop() {
        condition.locked {
            state.withLock { $0.isOver = true }
            condition.wakeAll()
        }
        let all = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in all { thread.join() }
    }

    private func work() {
        while let job = next() { job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func next() -> UnownedJob? {
        condition.locked {
            while true {
                let (job, isOver) = state.withLock { state in
                    (state.jobs.isEmpty ? nil : state.jobs.removeFirst(), state.isOver)
                }
                if let job { return job }
                if isOver { return nil }
                condition.wait()
            }
        }
    }
}
