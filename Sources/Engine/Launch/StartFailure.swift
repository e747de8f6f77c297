/// The cause of a failure to start a process, with docker's exit code for it: 126 where the command cannot be
/// executed, 127 where it is not there, 125 for everything else.
package struct StartFailure: Error, Sendable, CustomStringConvertible {
    package let exitCode: Int32
    package var description: String { "exit code \(exitCode)" }
}
