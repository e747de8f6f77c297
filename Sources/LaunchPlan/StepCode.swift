/// The op codes of encoded steps: the same numbers as `enum ctr_op` of CContainerInit, which this room may not
/// import; ContainerMonitor's tests compare both.
package enum StepCode: UInt32, CaseIterable, Sendable {
    case awaitParent = 1
    case joinCgroup, joinNamespace, unshare, newSession, newKeyring
    case setPropagation, attachRoot, mount, attachMount, bind, makeDirectory, makeDevice, symlink, mask
    case readOnlyPath, readOnlyRoot, setRootPropagation, pivotRoot
    case hostname, domainname, sysctl, loopbackUp, resourceLimit, oomScoreAdjustment, umask, terminal
    case standardStreams, workingDirectory, parentDeathSignal, personality, scheduler, ioPriority, dumpable
    case boundingSet, identity, capabilities, noNewPrivileges, seccomp, execLabel, closeDescriptors
    case findProgram, awaitStart, reap, execute, becomeRoot, timeOffsets, hook, memoryPolicy, cpuAffinity
    case propagation, changeRoot, ownStreams, bindHost, remount, enterRoot
}

/// A step as numbers and strings: what the child's executor reads, with no more structure than it needs.
package struct EncodedStep: Sendable, Equatable {
    package var code: StepCode
    package var arguments: [UInt64]
    package var strings: [String]

    init(_ code: StepCode, _ arguments: [UInt64] = [], _ strings: [String] = []) {
        self.code = code
        self.arguments = arguments
        self.strings = strings
    }
}
