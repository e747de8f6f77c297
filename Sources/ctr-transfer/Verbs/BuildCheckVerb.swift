import Build
import BuildScreen
import Engine
import Failure
import LinuxSystem

/// `ctr build --check`: findings on stdout, and an exit code for scripts.
enum BuildCheckVerb {
    static func perform(_ request: BuildRequest, _ engine: Engine) throws(Failure) -> Int32 {
        let check: BuildCheck
        do throws(Failure) {
            check = try engine.check(request)
        } catch {
            throw BuildDisplay.shown(error)
        }
        let isTerminal = Terminal.isTerminal(1)
        for finding in check.findings {
            for line in finding { Console.out((isTerminal ? TerminalText.line(line) : line) + "\n") }
            Console.out("\n")
        }
        switch check.findings.count {
        case 0: Console.out("Check complete, no warnings found.\n")
        case 1: Console.out("Check complete, 1 warning has been found!\n")
        default: Console.out("Check complete, \(check.findings.count) warnings have been found!\n")
        }
        return check.findings.isEmpty ? 0 : 1
    }
}
