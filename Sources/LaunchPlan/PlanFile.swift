package import Failure

/// An encoded MonitorPlan: header, the monitor's part, and the child's steps in the form that the executor reads in
/// place. All numbers are little-endian.
///
/// Header of 48 bytes: `CTRP`, version, size of the whole, offset and size of the steps, offset and size of the
/// preparation's steps (each 64 bits; offsets are multiples of 8).
package struct PlanFile {
    private static let magic: UInt32 = 0x5052_5443
    static let headerSize = 48

    private let bytes: UnsafeRawBufferPointer
    /// Where the steps are.
    package let program: Range<Int>
    /// Where the preparation's steps are.
    package let preparation: Range<Int>

    /// Checks the header only. `bytes` must outlive the value.
    package init(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var reader = PlanReader(bytes)
        guard try reader.number(UInt32.self) == PlanFile.magic else {
            throw Failure(.invalidArgument, "not a launch plan")
        }
        let version = try reader.number(UInt32.self)
        guard version == LaunchPlan.version else {
            throw Failure(
                .unsupported,
                "the launch plan has version \(version), this program knows \(LaunchPlan.version)",
                hint: "ctr and ctr-monitor must be of one build")
        }
        let size = try reader.number(UInt64.self)
        guard size == UInt64(bytes.count) else { throw PlanReader.damaged }
        self.bytes = bytes
        program = try reader.range(in: bytes.count)
        preparation = try reader.range(in: bytes.count)
    }

    /// The plan; `withSteps: false` leaves them where they are, for who only hands them to the executor.
    package func plan(withSteps: Bool = true) throws(Failure) -> MonitorPlan {
        var reader = PlanReader(
            UnsafeRawBufferPointer(rebasing: bytes[..<min(program.lowerBound, preparation.lowerBound)]),
            at: PlanFile.headerSize)
        var plan = try reader.monitorPlan()
        if withSteps {
            plan.launch.steps = try steps(in: program)
            plan.launch.preparation = try steps(in: preparation)
        }
        return plan
    }

    private func steps(in range: Range<Int>) throws(Failure) -> [Step] {
        var reader = PlanReader(UnsafeRawBufferPointer(rebasing: bytes[range]))
        var steps: [Step] = []
        while reader.offset < range.count { steps.append(try reader.step()) }
        return steps
    }

    /// One step, to name what failed.
    package func step(at index: Int, ofPreparation: Bool = false) throws(Failure) -> Step? {
        let range = ofPreparation ? preparation : program
        var reader = PlanReader(UnsafeRawBufferPointer(rebasing: bytes[range]))
        var at = 0
        while reader.offset < range.count {
            let step = try reader.step()
            if at == index { return step }
            at += 1
        }
        return nil
    }
}

extension MonitorPlan {
    package func encoded() -> [UInt8] {
        var writer = PlanWriter()
        writer.number(UInt32(0x5052_5443))
        writer.number(LaunchPlan.version)
        for _ in 0..<5 { writer.number(UInt64(0)) }
        writer.monitorPlan(self)
        writer.align()
        for (steps, place) in [(launch.steps, 16), (launch.preparation, 32)] {
            let start = writer.bytes.count
            for step in steps { writer.step(step.encoded) }
            writer.set(UInt64(start), at: place)
            writer.set(UInt64(writer.bytes.count - start), at: place + 8)
        }
        writer.set(UInt64(writer.bytes.count), at: 8)
        return writer.bytes
    }

    /// Any bytes are an answer or a Failure, never a crash.
    package init(decoding bytes: [UInt8]) throws(Failure) {
        var decoded: Result<MonitorPlan, Failure> = .failure(PlanReader.damaged)
        bytes.withUnsafeBytes { buffer in
            do throws(Failure) { decoded = .success(try PlanFile(buffer).plan()) } catch {
                decoded = .failure(error)
            }
        }
        self = try decoded.get()
    }
}
