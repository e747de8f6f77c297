package import Failure
internal import LinuxSystem

/// Threads that compress the members of any number of `MemberGzip`s: several layers share them, so that small layers
/// keep all processors at work as one large layer does.
package final class GzipWorkers: Sendable {
    /// More gain little: whoever feeds them reads files and hashes on one thread.
    package static var usualCount: Int { min(16, Processors.available) }

    let count: Int
    private let queue: Queue
    private let threads: [Thread]

    /// What the threads hold; without a reference to their owner, whose end is their end.
    private final class Queue: @unchecked Sendable {
        let condition = Condition()
        var members: [GzipMember] = []
        var isOver = false
    }

    package init(_ count: Int = GzipWorkers.usualCount) throws(Failure) {
        let count = max(1, count)
        let queue = Queue()
        var threads: [Thread] = []
        do throws(SystemError) {
            for _ in 0..<count { threads.append(try Thread("gzip") { GzipWorkers.work(queue) }) }
        } catch {
            // With fewer it takes longer, and gives the same.
            guard !threads.isEmpty else { throw error.failure("compress") }
        }
        self.count = threads.count
        self.queue = queue
        self.threads = threads
    }

    deinit {
        queue.condition.locked {
            queue.isOver = true
            queue.condition.wakeAll()
        }
        for thread in threads { thread.join() }
    }

    func submit(_ member: GzipMember) {
        queue.condition.locked {
            queue.members.append(member)
            queue.condition.wakeAll()
        }
    }

    /// Returns when the member is compressed.
    func wait(for member: GzipMember) throws(Failure) {
        queue.condition.locked {
            while !member.isDone { queue.condition.wait() }
        }
        if let failure = member.failure { throw failure }
    }

    private static func work(_ queue: Queue) {
        let deflater = GzipMember.Deflater()
        while let member = next(queue) {
            member.compress(deflater)
            queue.condition.locked {
                member.isDone = true
                queue.condition.wakeAll()
            }
        }
    }

    private static func next(_ queue: Queue) -> GzipMember? {
        queue.condition.locked {
            while true {
                // What a stream that failed has left there nobody waits for.
                if queue.isOver { return nil }
                if !queue.members.isEmpty { return queue.members.removeFirst() }
                queue.condition.wait()
            }
        }
    }
}
