package import Failure

/// Turns a system call's failure into one that says what was being done: `read container 4f0c: no such file …`.
package func during<R: ~Copyable>(
    _ doing: @autoclosure () -> String, _ body: () throws(SystemError) -> R
) throws(Failure) -> R {
    do throws(SystemError) {
        return try body()
    } catch {
        throw error.failure(doing())
    }
}
