import Foundation
import Testing

/// Bundles that cannot be: one clear line, and nothing is left behind.
@Suite("oci: bad bundles", .needs())
struct OCIBundleTests {
    @Test func aBundleThatIsNone() throws {
        try withBundle { box in
            try box.refuses("create", "--bundle", box.fixture.path("nowhere"), box.id, says: ["nowhere"])
            let empty = try box.fixture.makeDirectory("empty")
            try box.refuses("create", "--bundle", empty, box.id, says: ["config.json", empty])
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test(arguments: [
        "", "{", "[]", "null", #"{"ociVersion":"1.0.2"}"#, #"{"ociVersion":1,"root":{"path":"r"}}"#,
    ])
    func malformedDocuments(text: String) throws {
        try withBundle { box in
            try box.fixture.file("bundle/config.json", text)
            try box.refuses("create", "--bundle", box.bundle, box.id, says: ["config.json"])
            #expect(box.leftovers().isEmpty, "\(box.leftovers())")
        }
    }

    @Test(arguments: [
        ("ociVersion", "2.0.0", "ociVersion"), ("ociVersion", "one", "ociVersion"),
        ("process.cwd", "relative", "process.cwd"), ("process.cwd", "", "process.cwd"),
        ("root.path", "", "root.path"), ("linux.rootfsPropagation", "sideways", "rootfsPropagation"),
    ])
    func badFields(field: String, value: String, says: String) throws {
        try withBundle { box in
            box.config[field] = value
            try box.refusesToCreate(says: [says])
        }
    }

    @Test func otherBadFields() throws {
        try withBundle { box in
            let good = box.config
            func refuses(_ says: String, _ change: (inout BundleConfig) -> Void) throws {
                box.config = good
                change(&box.config)
                try box.refusesToCreate(says: [says])
            }
            try refuses("args") { $0["process.args"] = [String]() }
            try refuses("root") { $0["root"] = nil }
            try refuses("rlimit") {
                $0["process.rlimits"] = [["type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1] as [String: Any]]
            }
            try refuses("twice") {
                $0["process.rlimits"] =
                    [["type": "RLIMIT_NOFILE", "soft": 1, "hard": 1] as [String: Any]]
                    + [["type": "RLIMIT_NOFILE", "soft": 1, "hard": 1] as [String: Any]]
            }
            try refuses("namespaces") {
                $0["linux.namespaces"] = [["type": "mount"], ["type": "pid"], ["type": "pid"]]
            }
            try refuses("namespaces") { $0["linux.namespaces"] = [["type": "mount"], ["type": "nosuch"]] }
            try refuses("mapping") { $0["linux.uidMappings"] = [["containerID": 0, "hostID": 0, "size": 1]] }
            try refuses("time") { $0["linux.timeOffsets"] = ["boottime": ["secs": 5]] }
            try refuses("sysctl") { $0["linux.sysctl"] = ["kernel.panic": "7"] }
            try refuses("hostname") {
                $0["hostname"] = "box"
                $0.removeNamespace("uts")
            }
            try refuses("hooks.poststop.0") { $0["hooks.poststop"] = [["path": "relative"]] }
            try refuses("mounts.3") { $0.mount("/data", "/nowhere/at/all", type: "bind", ["bind"]) }
            try refuses("nosuchfs at /data") { $0.mount("/data", "x", type: "nosuchfs") }
            try refuses("nosuchoption") { $0.mount("/data", "tmpfs", type: "tmpfs", ["nosuchoption=1"]) }
        }
    }

    @Test func aRootThatIsNotThere() throws {
        try withBundle { box in
            box.config["root.path"] = "elsewhere"
            try box.refusesToCreate(says: ["elsewhere"])
            box.config["root.path"] = "config.json"
            try box.refusesToCreate(says: ["config.json"])
        }
    }

    @Test func aProgramThatIsNotThere() throws {
        try withBundle { box in
            box.config["process.args"] = ["no-such-program"]
            try box.refusesToCreate(says: ["no-such-program"])
            box.config["process.args"] = ["/etc/passwd"]
            try box.refusesToCreate(says: ["/etc/passwd"])
            box.config["process.args"] = ["true"]
            box.config["process.cwd"] = "/etc/passwd"
            try box.refusesToCreate(says: ["/etc/passwd"])
        }
    }
}
