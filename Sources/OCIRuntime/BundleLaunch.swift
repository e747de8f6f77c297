internal import ContainerMonitor
internal import Failure
internal import LaunchPlan
internal import LinuxSystem
internal import OCI

/// A launch out of this very process: its child is the container's first process, and goes to the caller's subreaper when
/// this process ends.
struct BundleLaunch: ~Copyable {
    private let plan: LaunchPlan
    private let slots: LaunchSlots

    init(_ plan: LaunchPlan, root: borrowing FileDescriptor, pidfd: Int32 = -1) throws(Failure) {
        self.plan = plan
        slots = try LaunchSlots(plan.slots, root: root, pidfd: pidfd)
    }

    func run(fifo: Int32? = nil, _ witness: Launcher.Witness) throws(Failure) -> Launcher.Shared {
        let bytes = MonitorPlan(mode: .exec, containerID: "", launch: plan).encoded()
        let map = try during("make the launch plan") { () throws(SystemError) in
            let file = try FileDescriptor.memory("ctr-plan")
            try file.write(bytes)
            return try MappedFile(file.raw)
        }
        let numbers: [Int32] = zip(plan.slots, slots.numbers).map { source, number in
            switch source {
            case .standardInput: 0
            case .standardOutput: 1
            case .standardError: 2
            case .startFIFO: fifo ?? -1
            default: number
            }
        }
        var launcher = Launcher(map.bytes, try PlanFile(map.bytes), plan, slots: numbers)
        do throws(LaunchFailure) {
            return try launcher.launch(witness).shared()
        } catch {
            throw Failure(
                error.failure.code, error.failure.message, hint: error.failure.hint,
                cause: CommandFailure(exitCode: error.exitCode))
        }
    }
}

/// The cause of a failure to start a program: 127 where it is not there, 126 where it cannot be executed, 125 for all
/// before it.
package struct CommandFailure: Error, Sendable {
    package let exitCode: Int32
}
