internal import CLinux
internal import Glibc

/// A thread of the kernel's own, for work that blocks: unpacking, hashing. The body must not outlive what it uses:
/// whoever starts a thread joins it.
package final class Thread: @unchecked Sendable {
    private let identity: pthread_t

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// `name` is cut to the 15 bytes that the kernel keeps.
    package init(_ name: String, _ run: @escaping @Sendable () -> Void) throws(SystemError) {
        let body = Unmanaged.passRetained(
            Body {
                // PR_SET_NAME of the calling thread.
                _ = name.withCPath { ctr_prctl(15, UInt(bitPattern: $0), 0, 0, 0) }
                run()
            })
        var made = pthread_t()
        let answer = pthread_create(
            &made, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, body.toOpaque())
        guard answer == 0 else {
            body.release()
            throw SystemError(call: "pthread_create", path: name, errno: answer)
        }
        identity = made
    }

    /// Waits for the body's end. Exactly once.
    package func join() { pthread_join(identity, nil) }
}

/// A mutex with one condition: the bounded queues between threads wait on it.
package final class Condition: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    package init() {
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    package func locked<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// Inside `locked` only. May wake without a reason.
    package func wait() { pthread_cond_wait(condition, mutex) }

    package func wakeAll() { pthread_cond_broadcast(condition) }
}
