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
            // Flags of others that mean nothing here, and zeros that mean "as it is".
            let zeros = [
                "--kernel-memory", "1000000", "--kernel-memory-tcp", "1000000", "--blkio-weight", "0",
                "--cpu-share", "0", "--cpu-period", "0", "--pids-limit", "31",
            ]
            let kept = try box.oci(["update"] + zeros + [box.id])
            #expect(kept.code == 0, "\(kept)")
            try box.refuses("update", "-r", box.root + "/nothing", box.id, says: ["no such file"])
            try box.refuses("update", "--l3-cache-schema", "L3:0=f", box.id, says: ["resctrl"])
            try box.refuses("update", "--mem-bw-schema", "MB:0=20", box.id, says: ["resctrl"])
            let document = try box.oci(["update", "-r", "-", box.id], input: #"{"pids":{"limit":33}}"#)
            #expect(document.code == 0, "\(document)")
            #expect(try box.ok("events", "--stats", box.id).contains(#""limit":33"#))
            let broken = try box.oci(["update", "-r", "-", box.id], input: #"{"pids":{"limit":"x"}}"#)
            #expect(
                broken.code == 1 && broken.stderr.contains("-: pids.limit: not a whole number"), "\(broken)")
        }
    }

    @Test func eventsFollowUntilItEnds() throws {
        try withBundle { box in
            try box.runSleeping()
            let events = try ChildProcess(
                box.words(["events", "--interval", "50ms", box.id]), environment: box.fixture.environment)
            try events.waitFor(#""type":"stats""#)
            try box.ok("kill", box.id, "KILL")
            let told = events.finish(timeout: 10)
            #expect(told.code == 0, "\(told)")
            for line in told.lines { #expect(try JSONObject(line).text("id") == box.id) }
            try box.refuses("events", box.id, says: ["not running"])
        }
    }

    /// Whatever a killed update has reached, the container is whole, and the same update succeeds.
    @Test func aKilledUpdate() throws {
        try withBundle { box in
            try box.runSleeping()
            for pause in stride(from: 300, through: 6000, by: 300) {
                let update = try ChildProcess(
                    box.words(["update", "--memory", "\(50 + pause)m", "--cpu-share", "512", box.id]),
                    environment: box.fixture.environment)
                usleep(UInt32(pause))
                update.signal(SIGKILL)
                _ = update.finish(timeout: 10)
                #expect(try box.status() == "running")
            }
            try box.ok("update", "--memory", "96m", "--cpu-share", "512", box.id)
            #expect(try box.ok("events", "--stats", box.id).contains(#""limit":100663296"#))
            #expect(try box.exec("echo", "whole") == "whole")
            try box.delete()
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }
}
