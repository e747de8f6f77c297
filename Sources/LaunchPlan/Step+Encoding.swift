extension Step {
    /// The flat form. Signed numbers are sign-extended; a slot below zero becomes an index that no launch has.
    package var encoded: EncodedStep {
        switch self {
        case .awaitParent(let stage): EncodedStep(.awaitParent, [UInt64(stage)])
        case .becomeRoot: EncodedStep(.becomeRoot)
        case .timeOffsets(let text): EncodedStep(.timeOffsets, [], [text])
        case .joinCgroup(let slot): EncodedStep(.joinCgroup, [flat(slot)])
        case .joinNamespace(let slot, let flags): EncodedStep(.joinNamespace, [flat(slot), flags])
        case .unshare(let flags): EncodedStep(.unshare, [flags])
        case .newSession: EncodedStep(.newSession)
        case .newKeyring(let name): EncodedStep(.newKeyring, [], [name])
        case .setPropagation(let flags): EncodedStep(.setPropagation, [flags])
        case .attachRoot(let slot, let place, let sharesMounts):
            EncodedStep(.attachRoot, [flat(slot), sharesMounts ? 1 : 0], [place])
        case .enterRoot(let slot): EncodedStep(.enterRoot, [flat(slot)])
        case .remount(let path, let change, let options):
            EncodedStep(
                .remount, [change.set, change.clear], [path] + options.flatMap { [$0.key, $0.value] })
        case .mount(let type, let source, let path, let attributes, let options, let copyUp):
            EncodedStep(
                .mount, [attributes, copyUp ? 1 : 0],
                [type, source, path] + options.flatMap { [$0.key, $0.value] })
        case .attachMount(let slot, let path, let isDirectory, let propagation):
            EncodedStep(.attachMount, [flat(slot), isDirectory ? 1 : 0, propagation], [path])
        case .bind(let source, let path, let attributes, let recursive):
            EncodedStep(.bind, [attributes, recursive ? 1 : 0], [source, path])
        case .bindHost(let directory, let path, let attributes):
            EncodedStep(.bindHost, [attributes], [directory, path])
        case .makeDirectory(let path, let mode): EncodedStep(.makeDirectory, [UInt64(mode)], [path])
        case .makeDevice(let path, let mode, let major, let minor, let uid, let gid):
            EncodedStep(
                .makeDevice, [UInt64(mode), UInt64(major), UInt64(minor), UInt64(uid), UInt64(gid)], [path])
        case .symlink(let target, let path): EncodedStep(.symlink, [], [target, path])
        case .mask(let path): EncodedStep(.mask, [], [path])
        case .readOnlyPath(let path): EncodedStep(.readOnlyPath, [], [path])
        case .readOnlyRoot: EncodedStep(.readOnlyRoot)
        case .setRootPropagation(let flags): EncodedStep(.setRootPropagation, [flags])
        case .propagation(let path, let flags): EncodedStep(.propagation, [flags], [path])
        case .pivotRoot: EncodedStep(.pivotRoot)
        case .changeRoot: EncodedStep(.changeRoot)
        case .hook(let hook):
            EncodedStep(
                .hook,
                [
                    hook.milliseconds, UInt64(hook.arguments.count), UInt64(hook.index), hook.kind.rawValue,
                ],
                [hook.path, hook.state.0, hook.state.1] + hook.arguments + hook.environment)
        default: encodedProcessStep
        }
    }

    private var encodedProcessStep: EncodedStep {
        switch self {
        case .hostname(let name): EncodedStep(.hostname, [], [name])
        case .domainname(let name): EncodedStep(.domainname, [], [name])
        case .sysctl(let key, let value): EncodedStep(.sysctl, [], [key, value])
        case .loopbackUp: EncodedStep(.loopbackUp)
        case .resourceLimit(let resource, let soft, let hard):
            EncodedStep(.resourceLimit, [flat(Int(resource)), soft, hard])
        case .oomScoreAdjustment(let score): EncodedStep(.oomScoreAdjustment, [flat(Int(score))])
        case .umask(let mask): EncodedStep(.umask, [UInt64(mask)])
        case .terminal(let slot, let rows, let columns):
            EncodedStep(.terminal, [flat(slot), UInt64(rows), UInt64(columns)])
        case .standardStreams(let input, let output, let error):
            EncodedStep(.standardStreams, [flat(input), flat(output), flat(error)])
        case .workingDirectory(let path, let create):
            EncodedStep(.workingDirectory, [create ? 1 : 0], [path])
        case .parentDeathSignal(let signal): EncodedStep(.parentDeathSignal, [flat(Int(signal))])
        case .personality(let persona): EncodedStep(.personality, [persona])
        case .scheduler(let policy, let flags, let nice, let priority, let runtime, let deadline, let period):
            EncodedStep(
                .scheduler,
                [UInt64(policy), flags, flat(Int(nice)), UInt64(priority), runtime, deadline, period])
        case .ioPriority(let priority): EncodedStep(.ioPriority, [UInt64(priority)])
        case .memoryPolicy(let mode, let nodes): EncodedStep(.memoryPolicy, [mode] + nodes)
        case .cpuAffinity(let mask): EncodedStep(.cpuAffinity, mask)
        case .dumpable(let on): EncodedStep(.dumpable, [on ? 1 : 0])
        case .boundingSet(let mask): EncodedStep(.boundingSet, [mask])
        case .identity(let uid, let gid, let groups, let keepsGroups):
            EncodedStep(
                .identity, [UInt64(uid), UInt64(gid)] + groups.map(UInt64.init),
                keepsGroups ? ["keeps groups"] : [])
        case .ownStreams(let uid): EncodedStep(.ownStreams, [UInt64(uid)])
        case .capabilities(let effective, let permitted, let inheritable, let ambient):
            EncodedStep(.capabilities, [effective, permitted, inheritable, ambient])
        case .noNewPrivileges: EncodedStep(.noNewPrivileges)
        case .seccomp(let slot, let flags): EncodedStep(.seccomp, [flat(slot), flags])
        case .execLabel(let module, let label): EncodedStep(.execLabel, [], [module, label])
        case .closeDescriptors(let keep): EncodedStep(.closeDescriptors, [UInt64(keep)])
        case .findProgram(let name, let searchPath): EncodedStep(.findProgram, [], [name, searchPath])
        case .awaitStart(let slot): EncodedStep(.awaitStart, [flat(slot)])
        case .reap: EncodedStep(.reap)
        case .execute(let arguments, let environment):
            EncodedStep(.execute, [UInt64(arguments.count)], arguments + environment)
        default: preconditionFailure("a step without an encoding")
        }
    }

    private func flat(_ number: Int) -> UInt64 { UInt64(bitPattern: Int64(number)) }
}
