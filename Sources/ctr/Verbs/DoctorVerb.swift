import CommandTable
import Doctor
import Failure
import LinuxSystem
import OCI

enum DoctorVerb {
    /// 1 where something keeps containers from running as they should.
    static func perform(_ command: ParsedCommand) throws(Failure) -> Int32 {
        let findings = Doctor.findings(HostReport.read())
        if command.value(.format) == "json" {
            Console.out(String(decoding: try JSON.encodePretty(findings), as: UTF8.self))
        } else {
            for finding in findings {
                let mark: String =
                    switch finding.weight {
                    case .fine: "ok      "
                    case .warning: "warning "
                    case .problem: "PROBLEM "
                    }
                Console.out("\(mark)\(finding.text)\n")
                if let mend = finding.mend { Console.out("        \(mend)\n") }
            }
        }
        return findings.contains { $0.weight == .problem } ? 1 : 0
    }
}
