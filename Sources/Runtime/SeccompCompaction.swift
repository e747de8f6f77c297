/// Shortens a program for seccomp(2): the kernel checks, converts and compiles each instruction of it in every start of
/// a container and in every exec.
enum SeccompCompaction {
    /// A program with the same answer for every struct seccomp_data: every architecture, number, instruction pointer
    /// and argument, known ones or not.
    ///
    /// - It is shorter, or it is the one that was given.
    /// - One that the kernel would refuse, or with an instruction other than those of `SeccompInstruction.Code`, comes
    ///   back as it is; so does one that has too many ways through it to be looked at.
    /// - What depends on architecture and number alone is answered before an argument is loaded, with instructions that
    ///   the kernel understands when it marks calls that are always allowed (seccomp_is_const_allow): these never run
    ///   the program.
    static func compacted(_ program: [SeccompInstruction]) -> [SeccompInstruction] {
        guard isUnderstood(program) else { return program }
        var evaluation = SeccompEvaluation(program)
        guard let root = evaluation.run() else { return program }
        var shortest = program
        // Which is shorter depends on how much the tables of x86_64 and x32 have in common.
        for sharesX32 in [false, true] {
            var graph = SeccompGraph(decisions: evaluation.decisions, sharesX32: sharesX32)
            let entry = graph.lower(root)
            let code = SeccompLayout.program(graph.nodes, entry: entry)
            if code.count < shortest.count { shortest = code }
        }
        return shortest
    }

    /// BPF_MAXINSNS
    private static let mostInstructions = 4096

    /// The size of struct seccomp_data.
    private static let dataSize: UInt32 = 64

    /// The kernel's own conditions, narrowed to the opcodes known here: all jumps stay inside, the end is an answer.
    private static func isUnderstood(_ program: [SeccompInstruction]) -> Bool {
        guard program.count <= mostInstructions, program.last?.code == SeccompInstruction.Code.answer else {
            return false
        }
        return program.enumerated().allSatisfy { at, instruction in
            let following = program.count - at - 1
            return switch instruction.code {
            case SeccompInstruction.Code.loadWord: instruction.value % 4 == 0 && instruction.value < dataSize
            case SeccompInstruction.Code.and, SeccompInstruction.Code.answer: true
            case SeccompInstruction.Code.jump: instruction.value < following
            case SeccompInstruction.Code.jumpEqual, SeccompInstruction.Code.jumpGreater,
                SeccompInstruction.Code.jumpGreaterOrEqual, SeccompInstruction.Code.jumpSet:
                max(instruction.ifTrue, instruction.ifFalse) < following
            default: false
            }
        }
    }
}
