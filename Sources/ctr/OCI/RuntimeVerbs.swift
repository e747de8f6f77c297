import CommandTable
import Failure
import LinuxSystem
import OCI
import OCIRuntime

/// The verbs of `ctr oci`, from flags to calls of the room.
struct RuntimeVerbs {
    let runtime: BundleRuntime
    let command: ParsedCommand
    let log: RuntimeLog

    private var id: String { command.positionals.first ?? "" }

    func perform() throws(Failure) -> Int32 {
        switch command.verb {
        case .ociCreate: try runtime.create(id, try createOptions())
        case .ociRun:
            return try runtime.run(
                id, try createOptions(), detached: command.flag(.detach), keeps: command.flag(.keep),
                subreaper: !command.flag(.noSubreaper))
        case .ociStart: try runtime.start(id)
        case .ociState: try printJSON(try runtime.state(id))
        case .ociKill:
            let word = command.positionals.count > 1 ? command.positionals[1] : "TERM"
            try runtime.kill(
                id, signal: word == "0" ? 0 : try SignalName.parse(word), all: command.flag(.all))
        case .ociDelete: try runtime.delete(id, force: command.flag(.force))
        case .ociExec: return try runtime.exec(id, execOptions())
        case .ociPs: try listProcesses()
        case .ociList: try listContainers()
        case .ociPause: try runtime.pause(id)
        case .ociResume: try runtime.resume(id)
        case .ociSpec:
            try SpecTemplate.write(
                to: command.value(.bundle) ?? ".", rootless: command.value(.rootless) == "true")
        case .ociFeatures: try printJSON(Features())
        case .ociUpdate: try runtime.update(id, resources(), shares: shares)
        case .ociEvents: try events()
        default: break
        }
        return 0
    }

    private func createOptions() throws(Failure) -> CreateOptions {
        var options = CreateOptions(bundle: command.value(.bundle) ?? ".")
        options.process = try processOptions()
        options.keepsKeyring = command.flag(.noNewKeyring)
        options.activationDescriptors = activationDescriptors
        options.keepsOldRoot = command.flag(.noPivot)
        return options
    }

    private func processOptions() throws(Failure) -> ProcessOptions {
        var options = ProcessOptions()
        options.consoleSocket = absolute(.consoleSocket)
        options.pidFile = absolute(.pidFile)
        options.pidfdSocket = absolute(.pidfdSocket)
        options.preservedDescriptors = try preservedDescriptors()
        return options
    }

    /// Those of systemd's socket activation (sd_listen_fds(3)).
    private var activationDescriptors: UInt32 {
        min(Process.environmentValue("LISTEN_FDS").flatMap { UInt32($0) } ?? 0, 1024)
    }

    /// With those of the activation, which come first.
    /// - Throws: `invalidArgument` where one is not open: its number would be one of this program's own.
    private func preservedDescriptors() throws(Failure) -> UInt32 {
        let count = UInt32(clamping: command.integer(.preserveFds) ?? 0) + activationDescriptors
        for number in 3..<(3 + count)
        where (try? FileDescriptor.exists("/proc/self/fd/\(number)")) != true {
            throw Failure(.invalidArgument, "--preserve-fds: descriptor \(number) is not open")
        }
        return count
    }

    /// The bundle becomes the working directory: paths are the caller's.
    private func absolute(_ flag: FlagName) -> String? {
        command.value(flag).flatMap { $0.isEmpty ? nil : WorkingDirectory.absolute($0) }
    }

    private func execOptions() throws(Failure) -> ExecOptions {
        var options = ExecOptions()
        options.processFile = command.value(.process)
        options.arguments = Array(command.positionals.dropFirst())
        options.environment = command.values(.env)
        options.workingDirectory = command.value(.cwd)
        if let user = command.value(.user) {
            let parts = user.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            options.uid = try id(parts.first, flag: .user)
            if parts.count > 1 { options.gid = try id(parts[1], flag: .user) }
        }
        for group in command.values(.additionalGids) {
            options.additionalGroups.append(try id(Substring(group), flag: .additionalGids))
        }
        if command.isGiven(.tty) { options.terminal = command.flag(.tty) }
        options.addedCapabilities = command.values(.cap)
        if command.isGiven(.noNewPrivs) { options.noNewPrivileges = command.flag(.noNewPrivs) }
        options.appArmorProfile = command.value(.apparmor)
        options.processLabel = command.value(.processLabel)
        options.detached = command.flag(.detach)
        options.process = try processOptions()
        options.cgroup = command.value(.cgroup)
        options.ignoresPaused = command.flag(.ignorePaused)
        return options
    }

    private func id(_ text: Substring?, flag: FlagName) throws(Failure) -> UInt32 {
        guard let text, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let value = UInt32(text),
            value <= UInt32(Int32.max)
        else {
            throw Failure(.invalidArgument, "--\(flag.rawValue) \(text ?? ""): not a numeric id")
        }
        return value
    }

    private func resources() throws(Failure) -> RuntimeSpec.Resources {
        if let file = command.value(.resources) {
            let bytes: [UInt8]? = try during("read \(file)") { () throws(SystemError) in
                file == "-"
                    ? try FileDescriptor.withBorrowed(0) { (own) throws(SystemError) in
                        try own.readAll(limit: 4 << 20)
                    }
                    : try AtomicFile.read(file)
            }
            guard let bytes else { throw Failure(.notFound, "\(file): there is no such file") }
            return try RuntimeSpec.Resources(bytes: bytes, as: file)
        }
        var memory = RuntimeSpec.Memory()
        func bytes(_ flag: FlagName) throws(Failure) -> Int64? {
            try command.parsed(flag) { (text) throws(Failure) in
                try ByteSize.parse(text, allowingUnlimited: true)
            }
        }
        memory.limit = try bytes(.memory)
        memory.reservation = try bytes(.memoryReservation)
        memory.swap = try bytes(.memorySwap)
        var cpu = RuntimeSpec.CPU()
        func number(_ flag: FlagName) -> UInt64? { command.integer(flag).map { UInt64(clamping: $0) } }
        /// Other runtimes take 0 for "as it is".
        func given(_ flag: FlagName) -> Int64? { command.integer(flag).flatMap { $0 == 0 ? nil : $0 } }
        cpu.shares = given(.cpuShare).map { UInt64(clamping: $0) }
        cpu.quota = command.integer(.cpuQuota)
        cpu.period = given(.cpuPeriod).map { UInt64(clamping: $0) }
        cpu.burst = number(.cpuBurst)
        cpu.realtimePeriod = number(.cpuRealtimePeriod)
        cpu.realtimeRuntime = command.integer(.cpuRealtimeRuntime)
        cpu.cpus = command.value(.cpusetCPUs)
        cpu.mems = command.value(.cpusetMems)
        cpu.idle = command.integer(.cpuIdle)
        var resources = RuntimeSpec.Resources()
        if memory != RuntimeSpec.Memory() { resources.memory = memory }
        if cpu != RuntimeSpec.CPU() { resources.cpu = cpu }
        if let limit = command.integer(.pidsLimit) { resources.pids = RuntimeSpec.Pids(limit: limit) }
        if let weight = given(.blkioWeight) {
            resources.blockIO = RuntimeSpec.BlockIO()
            resources.blockIO?.weight = UInt16(clamping: weight)
        }
        guard resources != RuntimeSpec.Resources() || shares != nil else {
            throw Failure(.invalidArgument, "update: no limit is given", hint: "See 'ctr oci update --help'.")
        }
        return resources
    }

    private var shares: RuntimeSpec.IntelRdt? {
        var shares = RuntimeSpec.IntelRdt()
        shares.l3CacheSchema = command.value(.l3CacheSchema)
        shares.memBwSchema = command.value(.memBwSchema)
        return shares == RuntimeSpec.IntelRdt() ? nil : shares
    }

    private func events() throws(Failure) {
        if command.flag(.stats) { return try printJSON(try runtime.statistics(id), pretty: false) }
        let span = try command.parsed(.interval, TimeSpan.nanosecondsOrSeconds) ?? 5_000_000_000
        guard span > 0 else { throw Failure(.invalidArgument, "--interval: it must be above 0") }
        try runtime.follow(id, milliseconds: Int32(clamping: span / 1_000_000)) { (event) throws(Failure) in
            try printJSON(event, pretty: false)
            _ = Console.flush()
        }
    }

    private func listProcesses() throws(Failure) {
        if command.value(.format) == "json" {
            return try printJSON(try runtime.processes(of: id), pretty: false)
        }
        Console.out(try runtime.processTable(of: id, Array(command.positionals.dropFirst())))
    }

    private func listContainers() throws(Failure) {
        let all = try runtime.list()
        if command.flag(.quiet) { return Console.out(all.map { "\($0.id)\n" }.joined()) }
        if command.value(.format) == "json" { return try printJSON(all, pretty: false) }
        var table = TextTable(header: ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"])
        for one in all {
            table.append([one.id, String(one.pid), one.status.rawValue, one.bundle, one.created, one.owner])
        }
        Console.out(table.text)
    }

    private func printJSON(_ value: some Encodable, pretty: Bool = true) throws(Failure) {
        let bytes =
            pretty
            ? closingUp(try JSON.encodePretty(value)) : try JSON.encode(value) + [UInt8(ascii: "\n")]
        Console.out(String(decoding: bytes, as: UTF8.self))
    }

    /// `"key": value`, as other runtimes print it and scripts look for it: without the encoder's space before the colon.
    private func closingUp(_ bytes: [UInt8]) -> [UInt8] {
        var inText = false
        var isEscaped = false
        var closed: [UInt8] = []
        for byte in bytes {
            if byte == UInt8(ascii: "\""), !isEscaped { inText.toggle() }
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            if byte == UInt8(ascii: ":"), !inText, closed.last == UInt8(ascii: " ") { closed.removeLast() }
            closed.append(byte)
        }
        return closed
    }
}
