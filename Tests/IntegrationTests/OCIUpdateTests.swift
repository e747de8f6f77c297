import Foundation
import Testing

/// Limits that change, and what a container uses.
@Suite("ctr oci update and events", .needs())
struct OCIUpdateTests {
    @Test func limitsChangeAndAreTold() throws {
        try withBundle { box in
            try box.runSleeping()
            let change = try box.oci("update", "--memory", "64m", "--pids-limit", "30", box.id)
            #expect(change.code == 0, "\(change)")
            let told = try box.oci("events", "--stats", box.id)
            #expect(told.code == 0 && told.stdout.contains(#""type":"stats""#), "\(told)")
            #expect(
                told.stdout.contains(#""limit":67108864"#) && told.stdout.contains(#""limit":30"#), "\(told)")
            let nothing = try box.oci("update", box.id)
            #expect(nothing.code == 1 && nothing.stderr.contains("no limit is given"), "\(nothing)")
        }
    }
}
