extension Statement {
    /// CMD and ENTRYPOINT may be empty: that takes away what the base image has.
    func commandLine() -> CommandLine {
        if case .strings(let words) = list { return CommandLine(.exec(words)) }
        var command = CommandLine(.shell(withHeredocs(arguments.text)), heredocs: heredocs)
        if let only = heredocs.first, heredocs.count == 1, HeredocWord(arguments) != nil {
            command.script = only
        }
        return command
    }

    func run(_ flags: FlagReader) throws(DockerfileError) -> RunInstruction {
        for flag in flags.all("mount") { try check(mount: flag) }
        let network = try network(flags)
        try checkPrivileges(flags)
        guard !arguments.isEmpty, list != .strings([]) else { throw fail("RUN needs a command") }
        var run = RunInstruction(commandLine())
        run.mounts = flags.all("mount").compactMap(\.value)
        run.network = network
        return run
    }

    /// A value with variables has to wait for theirs.
    private func check(mount flag: Flag) throws(DockerfileError) {
        guard let text = flag.value else { return }
        do throws(DockerfileError) {
            let fields = try RunMountFields(text)
            guard !text.contains("$") else { return }
            _ = try fields.mount { (value) throws(DockerfileError) in value }
        } catch {
            throw error.at(flag.range)
        }
    }

    private func network(_ flags: FlagReader) throws(DockerfileError) -> RunInstruction.Network {
        guard let flag = flags.flag("network"), let value = flag.value else { return .default }
        guard let network = RunInstruction.Network(rawValue: value) else {
            throw fail(
                "invalid network \"\(value)\"", at: flag.range, hint: "it is default, none or host")
        }
        return network
    }

    private func checkPrivileges(_ flags: FlagReader) throws(DockerfileError) {
        if let flag = flags.flag("security"), flag.value != "sandbox" {
            guard flag.value == "insecure" else {
                throw fail(
                    "invalid security mode \"\(flag.value ?? "")\"", at: flag.range, hint: "it is sandbox")
            }
            throw fail("RUN --security=insecure is not supported", at: flag.range)
        }
        if let flag = flags.flag("device") { throw fail("RUN --device is not supported", at: flag.range) }
    }

    func healthcheck(_ flags: FlagReader) throws(DockerfileError) -> HealthcheckInstruction {
        guard !arguments.isEmpty else {
            throw fail("HEALTHCHECK needs CMD and a command, or NONE")
        }
        let (type, rest) = arguments.firstWordAndRest
        switch type.text.uppercased() {
        case "NONE":
            guard rest.isEmpty else { throw fail("HEALTHCHECK NONE takes no arguments", at: rest.range) }
            if let flag = self.flags.first {
                throw fail("HEALTHCHECK NONE takes no flags", at: flag.range)
            }
            return HealthcheckInstruction(command: nil)
        case "CMD":
            var check = HealthcheckInstruction(command: try probe(rest, after: type))
            check.interval = try duration(flags.flag("interval"))
            check.timeout = try duration(flags.flag("timeout"))
            check.startPeriod = try duration(flags.flag("start-period"))
            check.startInterval = try duration(flags.flag("start-interval"))
            check.retries = try retries(flags.flag("retries"))
            return check
        default:
            throw fail(
                "unknown type \"\(type.text)\" of HEALTHCHECK", at: type.range, hint: "it is CMD or NONE")
        }
    }

    private func probe(_ text: Fragment, after type: Fragment) throws(DockerfileError) -> CommandLine {
        switch JSONList(text.text) {
        case .other: throw fail("a JSON list holds strings only", at: text.range)
        case .strings(let words) where !words.isEmpty: return CommandLine(.exec(words))
        case .none where !text.isEmpty: return CommandLine(.shell(text.text))
        default: throw fail("HEALTHCHECK CMD needs a command", at: type.range)
        }
    }

    /// Nanoseconds; nothing and zero are the default.
    private func duration(_ flag: Flag?) throws(DockerfileError) -> Int64? {
        guard let flag, let text = flag.value, !text.isEmpty else { return nil }
        let duration: Int64
        do throws(GoDuration.Problem) {
            duration = try GoDuration.nanoseconds(text)
        } catch {
            throw fail(
                "invalid duration \"\(text)\" for --\(flag.name): \(error.message)", at: flag.range,
                hint: "a duration is a number and a unit: 30s, 1m30s, 500ms")
        }
        guard duration != 0 else { return nil }
        guard duration >= 1_000_000 else {
            throw fail("--\(flag.name) cannot be less than 1ms, but is \"\(text)\"", at: flag.range)
        }
        return duration
    }

    private func retries(_ flag: Flag?) throws(DockerfileError) -> Int? {
        guard let flag, let text = flag.value, !text.isEmpty else { return nil }
        guard let number = Int32(text) else {
            throw fail("--retries is a number, not \"\(text)\"", at: flag.range)
        }
        guard number >= 0 else { throw fail("--retries cannot be negative", at: flag.range) }
        return Int(number)
    }
}
