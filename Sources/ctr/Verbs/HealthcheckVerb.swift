import CommandTable
import Engine
import Failure
import LinuxSystem

enum HealthcheckRunVerb {
    static func perform(_ command: ParsedCommand, _ engine: Engine) throws(Failure) -> Int32 {
        let (exitCode, status) = try engine.runHealthCheck(try engine.container(command.positionals[0]))
        // podman's: nothing is said of a success.
        if exitCode == 0 { return 0 }
        Console.out(status + "\n")
        return 1
    }
}

/// `run -d --wait=healthy`
enum HealthWait {
    static func perform(_ command: ParsedCommand, _ record: ContainerRecord, _ engine: Engine) throws(Failure)
        -> Int32
    {
        let timeout = try command.parsed(.waitTimeout) { (text) throws(Failure) in
            try TimeSpan.nanoseconds(text)
        }
        let name = record.name
        switch try engine.waitUntilHealthy(record, timeout: timeout) {
        case .healthy: return 0
        case .unhealthy(let last):
            Console.error("ctr: container \(name) became unhealthy: \(last)\n")
            return 1
        case .ended(let code):
            Console.error("ctr: container \(name) ended with exit code \(code) before it was healthy\n")
            return code == 0 ? 1 : code
        case .timedOut:
            Console.error(
                "ctr: container \(name) was not healthy within \(command.value(.waitTimeout) ?? ""); it runs on\n"
            )
            return 124
        }
    }
}
