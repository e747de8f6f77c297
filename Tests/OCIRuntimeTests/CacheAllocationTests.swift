import Failure
import Foundation
import OCI
import Testing

@testable import OCIRuntime

/// linux.intelRdt against a directory that stands for resctrl: few machines have one. What the kernel makes of itself, files in
/// a new class, the test makes beforehand.
@Suite struct CacheAllocationTests {
    private let mount: String

    init() throws {
        mount = FileManager.default.temporaryDirectory.appending(path: "resctrl-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
    }

    private func withClass(_ name: String, schemata: String, _ body: () throws -> Void) throws {
        defer { try? FileManager.default.removeItem(atPath: mount) }
        try FileManager.default.createDirectory(
            atPath: "\(mount)/\(name)/mon_groups/box", withIntermediateDirectories: true)
        for (file, text) in [("schemata", schemata), ("tasks", ""), ("mon_groups/box/tasks", "")] {
            try text.write(toFile: "\(mount)/\(name)/\(file)", atomically: false, encoding: .utf8)
        }
        try body()
    }

    private func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(mount)/\(path)", encoding: .utf8)
    }

    private func asked(_ change: (inout RuntimeSpec.IntelRdt) -> Void) -> RuntimeSpec.IntelRdt {
        var asked = RuntimeSpec.IntelRdt()
        change(&asked)
        return asked
    }

    private func message(_ asked: RuntimeSpec.IntelRdt, mount: String?) -> String {
        #expect(throws: Failure.self) { try CacheAllocation(asked, container: "box", mount: mount) }?.message
            ?? ""
    }

    @Test func whereItIsMounted() {
        let mountinfo = """
            22 27 0:21 / /proc rw,relatime - proc proc rw
            30 22 0:26 / /sys/fs/resctrl rw,nosuid shared:7 - resctrl resctrl rw
            """
        #expect(CacheAllocation.mount(in: mountinfo) == "/sys/fs/resctrl")
        #expect(CacheAllocation.mount(in: "22 27 0:21 / /resctrl rw - tmpfs resctrl rw") == nil)
        #expect(message(asked { $0.closID = "x" }, mount: nil).contains("no resctrl is mounted"))
    }

    /// Without a closID the class is the container's own, by its name, and goes with it.
    @Test func aClassOfItsOwn() throws {
        try withClass("box", schemata: "") {
            let own = try CacheAllocation(
                asked {
                    $0.l3CacheSchema = "L3:0=f;1=f\nMB:0=10"
                    $0.memBwSchema = "MB:0=20"
                    $0.enableMonitoring = true
                }, container: "box", mount: mount)
            // Each is a write of its own; the kernel keeps all. Of MB the line of memBwSchema alone counts.
            #expect(try text("box/schemata").hasPrefix("MB:0=20\n"))
            try own.admit(4711)
            #expect(try text("box/tasks") == "4711" && text("box/mon_groups/box/tasks") == "4711")
            #expect(own.toRemove == ["\(mount)/box/mon_groups/box"], "the class was there before")
        }
        // Made for it, and nothing is written where nothing is asked.
        try withClass("other", schemata: "") {
            let own = try CacheAllocation(asked { _ in }, container: "box", mount: mount)
            #expect(own.toRemove == ["\(mount)/box"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: "\(mount)/box").isEmpty)
            own.remove()
            #expect(!FileManager.default.fileExists(atPath: "\(mount)/box"))
        }
    }

    /// "As a special case, value `/` means that the container MUST be assigned to the default CLOS (the root of the resctrl
    /// filesystem)."
    @Test func theDefaultClass() throws {
        try withClass(".", schemata: "L3:0=f\n") {
            let top = try CacheAllocation(
                asked {
                    $0.closID = "/"
                    $0.schemata = ["L3:0=f"]
                    $0.enableMonitoring = true
                }, container: "box", mount: mount)
            try top.admit(7)
            #expect(try text("tasks") == "7" && text("mon_groups/box/tasks") == "7")
            #expect(top.toRemove == ["\(mount)/mon_groups/box"])
        }
    }

    /// What `update` changes.
    @Test func newShares() throws {
        try withClass("gold", schemata: "") {
            let gold = asked { $0.closID = "gold" }
            try CacheAllocation.change(
                asked { $0.l3CacheSchema = "L3:0=3" }, of: gold, container: "box", mount: mount)
            #expect(try text("gold/schemata") == "L3:0=3\n")
            for (present, mount) in [(nil, mount), (gold, nil)] as [(RuntimeSpec.IntelRdt?, String?)] {
                #expect(throws: Failure.self) {
                    try CacheAllocation.change(
                        asked { $0.memBwSchema = "MB:0=5" }, of: present, container: "box", mount: mount)
                }
            }
        }
    }

    @Test func aClassThatIsThere() throws {
        try withClass("gold", schemata: "    L3:0=00f;1=0F\n    MB:0= 20;1=100\n") {
            let shared = try CacheAllocation(asked { $0.closID = "gold" }, container: "box", mount: mount)
            try shared.admit(1)
            #expect(try text("gold/tasks") == "1")
            #expect(shared.toRemove.isEmpty, "it was there before")
            _ = try CacheAllocation(
                asked {
                    $0.closID = "gold"
                    $0.schemata = ["MB:0=20;1=100"]
                    $0.l3CacheSchema = "L3:0=f;1=f"
                }, container: "box", mount: mount)
            let other = message(
                asked {
                    $0.closID = "gold"
                    $0.schemata = ["L3:0=7;1=f"]
                }, mount: mount)
            #expect(other.contains("other shares") && other.contains("L3:0=7;1=f"), "\(other)")
            #expect(try text("gold/schemata").contains("00f"), "nothing is written to it")
        }
    }

    @Test func refusals() throws {
        try withClass("box", schemata: "") {
            #expect(message(asked { $0.closID = "none" }, mount: mount).contains("there is no class none"))
            #expect(message(asked { $0.closID = "../up" }, mount: mount).contains("closID"))
            for bad in ["L3:0=f", "MB:0=1\nMB:1=2"] {
                #expect(message(asked { $0.memBwSchema = bad }, mount: mount).contains("memBwSchema"))
            }
        }
    }
}
