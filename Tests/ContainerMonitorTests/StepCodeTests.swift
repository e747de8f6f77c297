import CContainerInit
import LaunchPlan
import Testing

/// LaunchPlan may not import the executor's header: both tables are compared here.
@Suite struct StepCodeTests {
    private static let executor: [(ctr_op, StepCode)] = [
        (CTR_OP_AWAIT_PARENT, .awaitParent), (CTR_OP_JOIN_CGROUP, .joinCgroup),
        (CTR_OP_JOIN_NAMESPACE, .joinNamespace), (CTR_OP_UNSHARE, .unshare),
        (CTR_OP_NEW_SESSION, .newSession),
        (CTR_OP_NEW_KEYRING, .newKeyring), (CTR_OP_SET_PROPAGATION, .setPropagation),
        (CTR_OP_ATTACH_ROOT, .attachRoot), (CTR_OP_MOUNT, .mount), (CTR_OP_ATTACH_MOUNT, .attachMount),
        (CTR_OP_BIND, .bind), (CTR_OP_MAKE_DIRECTORY, .makeDirectory), (CTR_OP_MAKE_DEVICE, .makeDevice),
        (CTR_OP_SYMLINK, .symlink), (CTR_OP_MASK, .mask), (CTR_OP_READ_ONLY_PATH, .readOnlyPath),
        (CTR_OP_READ_ONLY_ROOT, .readOnlyRoot), (CTR_OP_SET_ROOT_PROPAGATION, .setRootPropagation),
        (CTR_OP_PIVOT_ROOT, .pivotRoot), (CTR_OP_HOSTNAME, .hostname), (CTR_OP_DOMAINNAME, .domainname),
        (CTR_OP_SYSCTL, .sysctl), (CTR_OP_LOOPBACK_UP, .loopbackUp), (CTR_OP_RESOURCE_LIMIT, .resourceLimit),
        (CTR_OP_OOM_SCORE_ADJUSTMENT, .oomScoreAdjustment), (CTR_OP_UMASK, .umask),
        (CTR_OP_TERMINAL, .terminal), (CTR_OP_STANDARD_STREAMS, .standardStreams),
        (CTR_OP_WORKING_DIRECTORY, .workingDirectory), (CTR_OP_PARENT_DEATH_SIGNAL, .parentDeathSignal),
        (CTR_OP_PERSONALITY, .personality), (CTR_OP_SCHEDULER, .scheduler), (CTR_OP_IO_PRIORITY, .ioPriority),
        (CTR_OP_DUMPABLE, .dumpable), (CTR_OP_BOUNDING_SET, .boundingSet), (CTR_OP_IDENTITY, .identity),
        (CTR_OP_CAPABILITIES, .capabilities), (CTR_OP_NO_NEW_PRIVILEGES, .noNewPrivileges),
        (CTR_OP_SECCOMP, .seccomp), (CTR_OP_EXEC_LABEL, .execLabel),
        (CTR_OP_CLOSE_DESCRIPTORS, .closeDescriptors), (CTR_OP_FIND_PROGRAM, .findProgram),
        (CTR_OP_AWAIT_START, .awaitStart), (CTR_OP_REAP, .reap), (CTR_OP_EXECUTE, .execute),
        (CTR_OP_BECOME_ROOT, .becomeRoot), (CTR_OP_TIME_OFFSETS, .timeOffsets), (CTR_OP_HOOK, .hook),
        (CTR_OP_MEMORY_POLICY, .memoryPolicy), (CTR_OP_CPU_AFFINITY, .cpuAffinity),
        (CTR_OP_PROPAGATION, .propagation), (CTR_OP_CHANGE_ROOT, .changeRoot),
        (CTR_OP_OWN_STREAMS, .ownStreams), (CTR_OP_BIND_HOST, .bindHost),
        (CTR_OP_REMOUNT, .remount), (CTR_OP_ENTER_ROOT, .enterRoot),
    ]

    @Test func bothTablesAgree() {
        for (op, code) in Self.executor { #expect(op.rawValue == code.rawValue) }
        #expect(Self.executor.count == StepCode.allCases.count)
        #expect(CTR_OP_END.rawValue == StepCode.allCases.map(\.rawValue).max().map { $0 + 1 })
    }

    /// What the Swift side writes, the executor's own check of bounds takes; and it refuses every cut of it.
    @Test func executorTakesTheEncoding() {
        let steps: [Step] = [
            .mount(
                type: "proc", source: "", inRoot: "/proc", attributes: 14, options: [MountOption("a", "b")]),
            .identity(uid: 1, gid: 2, groups: [3, 4]), .execute(arguments: ["a"], environment: ["B=c", ""]),
        ]
        let plan = MonitorPlan(
            mode: .exec, containerID: "x",
            launch: LaunchPlan(namespaces: 0, cgroup: [], steps: steps, slots: []))
        let bytes = plan.encoded()
        bytes.withUnsafeBytes { buffer in
            guard let file = try? PlanFile(buffer) else {
                Issue.record("no plan")
                return
            }
            let program = UnsafeRawBufferPointer(rebasing: buffer[file.program])
            #expect(ctr_init_check(program.baseAddress, program.count) == 0)
            for size in 1..<program.count where ctr_init_check(program.baseAddress, size) == 0 {
                // Only between two steps.
                #expect(
                    steps.indices.contains { index in
                        size == steps[...index].reduce(0) { $0 + encodedSize($1) }
                    })
            }
        }
    }

    private func encodedSize(_ step: Step) -> Int {
        let flat = step.encoded
        let size =
            16 + 8 * flat.arguments.count + 4 * flat.strings.count
            + flat.strings.reduce(0) { $0 + $1.utf8.count + 1 }
        return (size + 7) / 8 * 8
    }
}
