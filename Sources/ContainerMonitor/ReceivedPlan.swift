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
    /// Where the plan came from, and where `made` is told.
    private var socket: SharedFileDescriptor?

    /// nil where the sender went away before it sent one.
    static func receive(from socket: SharedFileDescriptor) throws(Failure) -> ReceivedPlan? {
        let received = try during("receive the launch plan") { () throws(SystemError) in
            try PlanTransport.receive(from: socket.raw)
        }
        return try received.map { (received) throws(Failure) in try ReceivedPlan(received, socket) }
    }

    private init(_ received: PlanTransport.Received, _ socket: SharedFileDescriptor) throws(Failure) {
        self.socket = socket
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

    /// Sockets that are to stay open as long as the container runs.
    var publishedPorts: [SharedFileDescriptor] {
        zip(plan.launch.slots, slots).filter { $0.0 == .publishedPort }.map(\.1)
    }

    /// Launches, once; `own` has the numbers of the slots that are made here. `networked` hears of a
    /// child whose loopback is up, and that waits for its networks.
    ///
    /// A container with networks is attached to them by who sent the plan, while the child goes on as far as it can.
    func launch(
        own: [(SlotSource, Int32)],
        made: @escaping (Int32) -> Void = { _ in },
        networked: @escaping (Int32) throws(Failure) -> Void = { (_) throws(Failure) in }
    ) throws(LaunchFailure) -> Launcher.Launched {
        let numbers = plan.launch.slots.enumerated().map { index, source in
            switch source {
            case .standardInput, .standardOutput, .standardError, .terminal, .cgroupFile, .startFIFO:
                own.first { $0.0 == source }?.1 ?? -1
            case .root, .bind, .file, .containerPIDFD, .publishedPort: slots[index].raw
            }
        }
        // What came for the launch goes with it, whoever still holds this value.
        defer {
            slots = []
            map = nil
            socket = nil
        }
        var launcher = Launcher(
            map?.bytes ?? UnsafeRawBufferPointer(start: nil, count: 0), file, plan.launch, slots: numbers)
        var witness = Launcher.Witness()
        witness.made = { [plan, socket] pid in
            if plan.awaitsNetwork, let socket { LaunchTalk.tell(.made(pid: pid), to: socket.raw) }
            made(pid)
        }
        witness.awaited = { [plan, socket] (stage, pid) throws(Failure) in
            if stage == 1 { try plan.actOnAwaiting(pid) }
            guard stage == 2, let socket else { return }
            try networked(pid)
            try LaunchTalk.awaitNetworks(socket.raw)
        }
        return try launcher.launch(witness)
    }
}
