import CommandTable
import Engine
import Failure
import Front
import LinuxSystem

enum PauseVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        Program.each(command.positionals, verb: command.verb, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            try engine.pause(try engine.container(word))
            Console.out(word + "\n")
        }
    }
}

enum UnpauseVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        Program.each(command.positionals, verb: command.verb, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            try engine.unpause(try engine.container(word))
            Console.out(word + "\n")
        }
    }
}

enum UpdateVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let request = try request(command)
        return Program.each(command.positionals, verb: .update, debug: command.flag(.debug)) {
            (word) throws(Failure) in
            try engine.update(try engine.container(word), request)
            Console.out(word + "\n")
        }
    }

    private static func request(_ command: ParsedCommand) throws(Failure) -> UpdateRequest {
        var request = UpdateRequest()
        request.memory = try command.parsed(.memory) { (text) throws(Failure) in try ByteSize.parse(text) }
        request.memorySwap = try command.parsed(.memorySwap) { (text) throws(Failure) in
            try ByteSize.parse(text, allowingUnlimited: true)
        }
        request.memoryReservation = try command.parsed(.memoryReservation) { (text) throws(Failure) in
            try ByteSize.parse(text)
        }
        request.nanoCPUs = try command.parsed(.cpus) { (text) throws(Failure) in
            try CPUCount.nanoCPUs(text)
        }
        request.cpuShares = command.integer(.cpuShares)
        request.cpuPeriod = command.integer(.cpuPeriod)
        request.cpuQuota = command.integer(.cpuQuota)
        request.cpuRealtimePeriod = command.integer(.cpuRealtimePeriod)
        request.cpuRealtimeRuntime = command.integer(.cpuRealtimeRuntime)
        request.cpusetCPUs = command.value(.cpusetCPUs)
        request.cpusetMems = command.value(.cpusetMems)
        request.blkioWeight = command.integer(.blkioWeight)
        request.pidsLimit = command.integer(.pidsLimit)
        request.restart = command.value(.restart)
        return request
    }
}
