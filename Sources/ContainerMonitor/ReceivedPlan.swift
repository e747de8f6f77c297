internal import Failure
internal import LaunchPlan
internal import LinuxSystem

/// A plan as it came over the launch socket: mapped, not copied, and let go of as soon as the container runs.
final class ReceivedPlan {
    /// Without the steps: the executor reads them where they are.
    let plan: MonitorPlan
    private var map: MappedFile?
    private let file: PlanFile
    private var slots: [SharedFileDescriptor]

    /// nil where the sender went away before it sent one.
    static func receive(from socket: Int32) throws(Failure) -> ReceivedPlan? {
        let received = try during("receive the launch plan") { () throws(SystemError) in
            try PlanTransport.receive(from: socket)
        }
        return try received.map { (received) throws(Failure) in try ReceivedPlan(received) }
    }

    private init(_ received: PlanTransport.Received) throws(Failure) {
        let map = try during("read the launch plan") { () throws(SystemError) in
            try MappedFile(received.memory.raw)
        }
        let file = try PlanFile(map.bytes)
        plan = try file.plan(withSteps: false)
        guard received.slots.count == plan.launch.slots.count else {
            throw Failure(
                .internal,
                "the launch plan has \(plan.launch.slots.count) slots, and \(received.slots.count) descriptors came"
            )
        }
        slots = received.slots
        self.map = map
        self.file = file
    }

    /// Launches, once; `own` has the numbers of the slots that are made here.
    func launch(own: [(SlotSource, Int32)], made: @escaping (Int32) -> Void = { _ in }) throws(LaunchFailure)
        -> Launcher.Launched
    {
        let numbers = plan.launch.slots.enumerated().map { index, source in
            switch source {
            case .standardInput, .standardOutput, .standardError, .terminal, .cgroupFile, .startFIFO:
                own.first { $0.0 == source }?.1 ?? -1
            case .root, .bind, .file, .containerPIDFD: slots[index].raw
            }
        }
        // What came for the launch goes with it, whoever still holds this value: among the slots is an end of the launch
        // socket, which must not stay open here.
        defer {
            slots = []
            map = nil
        }
        var launcher = Launcher(
            map?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0), file, plan.launch, slots: numbers)
        var witness = Launcher.Witness()
        witness.made = made
        return try launcher.launch(witness)
    }
}
