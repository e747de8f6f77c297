internal import Engine
internal import Failure
internal import LinuxSystem
internal import Synchronization

/// Runs concurrent work on threads of its own and waits for it on this one.
///
/// The command line is synchronous: only verbs that speak to a registry start the concurrency runtime at all.
func blocking<Value: Sendable>(
    _ work: @escaping @Sendable () async throws(Failure) -> Value
) throws(Failure) -> Value {
    let outcome = BlockingOutcome<Value>()
    let executor = try TransferExecutor.start(width: ImagePull.width + 1)
    defer { executor.stop() }
    Task(executorPreference: executor) {
        do throws(Failure) {
            outcome.put(.success(try await work()))
        } catch {
            outcome.put(.failure(error))
        }
    }
    return try outcome.take().get()
}

private final class BlockingOutcome<Value: Sendable>: Sendable {
    private let condition = Condition()
    private let value = Mutex<Result<Value, Failure>?>(nil)

    func put(_ result: Result<Value, Failure>) {
        condition.locked {
            value.withLock { $0 = result }
            condition.wakeAll()
        }
    }

    func take() -> Result<Value, Failure> {
        condition.locked {
            while true {
                if let result = value.withLock({ $0 }) { return result }
                condition.wait()
            }
        }
    }
}
