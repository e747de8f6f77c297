import CommandTable
import Failure
import LinuxSystem
import OCI
import Testing

@testable import Engine

@Suite struct DeviceSpecsTests {
    /// Two directories of specs, which go with the value.
    private final class Directories {
        let path = "/dev/shm/ctr-cdi-\(randomHex(bytes: 6))"
        var all: [String] { ["\(path)/etc", "\(path)/run"] }

        func write(_ name: String, _ text: String) throws {
            let parts = name.split(separator: "/")
            try Directory.ensurePath("\(path)/\(parts[0])")
            let directory = try Directory.open("\(path)/\(parts[0])")
            try AtomicFile.write(Array(text.utf8), to: String(parts[1]), in: directory.raw, durable: false)
        }

        deinit { try? Directory.removeTree(path) }
    }

    private func environment(_ directories: Directories, _ names: String...) throws -> [String] {
        try DeviceSpecs(directories: directories.all)
            .edits(for: names.map { try #require(CDIDeviceName($0)) }).environment
    }

    private func json(_ value: String, kind: String = "v.com/c", names: [String] = ["d"]) -> String {
        let devices = names.map { #"{"name":"\#($0)","containerEdits":{"env":["\#($0)=\#(value)"]}}"# }
        return
            #"{"cdiVersion":"0.6.0","kind":"\#(kind)","devices":[\#(devices.joined(separator: ","))],"containerEdits":{"env":["ALL=\#(value)"]}}"#
    }

    @Test func `devices come in their order, and their specs once`() throws {
        let directories = Directories()
        try directories.write("etc/a.json", json("1", names: ["d", "e", "f"]))
        try directories.write(
            "etc/b.yaml",
            """
            cdiVersion: "0.6.0"
            kind: v.com/other
            devices:
            - name: 0
              containerEdits:
                env:
                - ZERO=yes
            containerEdits: {}
            """)
        try directories.write("etc/c.yml", json("3", kind: "v.com/third"))
        try directories.write("etc/README", "no spec")
        #expect(try environment(directories, "v.com/c=e") == ["ALL=1", "e=1"])
        #expect(
            try environment(
                directories, "v.com/c=e", "v.com/other=0", "v.com/c=d", "v.com/c=e", "v.com/third=d")
                == ["ALL=1", "e=1", "ZERO=yes", "d=1", "ALL=3", "d=3"])
    }

    @Test func `a later directory counts more`() throws {
        let directories = Directories()
        try directories.write("etc/a.json", json("etc", names: ["d", "e"]))
        try directories.write("run/z.json", json("run"))
        #expect(try environment(directories, "v.com/c=d") == ["ALL=run", "d=run"])
        #expect(try environment(directories, "v.com/c=e") == ["ALL=etc", "e=etc"])
    }

    @Test func `one directory has a device once`() throws {
        let directories = Directories()
        try directories.write("etc/a.json", json("1", names: ["d", "e"]))
        try directories.write("etc/b.json", json("2"))
        let failure = try #require(throws: Failure.self) { try environment(directories, "v.com/c=d") }
        #expect(failure.code == .conflict)
        #expect(failure.message.contains("/etc/a.json") && failure.message.contains("/etc/b.json"))
        // Of others it says nothing, and a later directory settles it.
        #expect(try environment(directories, "v.com/c=e") == ["ALL=1", "e=1"])
        try directories.write("run/c.json", json("3"))
        #expect(try environment(directories, "v.com/c=d") == ["ALL=3", "d=3"])
    }

    @Test func `what is not there is told with where it was looked for`() throws {
        let directories = Directories()
        let nothing = try #require(throws: Failure.self) {
            try environment(directories, "nvidia.com/gpu=all")
        }
        #expect(nothing.code == .notFound)
        #expect(
            nothing.message
                == "no CDI device nvidia.com/gpu=all: specs were looked for in \(directories.path)/etc and \(directories.path)/run"
        )
        #expect(nothing.hint?.contains("nvidia-ctk cdi generate") == true)
        try directories.write("etc/a.json", json("1", names: ["d", "e"]))
        let other = try #require(throws: Failure.self) { try environment(directories, "v.com/c=x") }
        #expect(other.hint == "of this kind there are: d, e")
        #expect(try #require(throws: Failure.self) { try environment(directories, "w.com/c=x") }.hint == nil)
    }

    @Test func `a bad file is in the way of what is missing alone`() throws {
        let directories = Directories()
        try directories.write("etc/a.json", json("1"))
        try directories.write("etc/bad.yaml", "cdiVersion: [")
        #expect(try environment(directories, "v.com/c=d") == ["ALL=1", "d=1"])
        let failure = try #require(throws: Failure.self) { try environment(directories, "v.com/c=x") }
        #expect(failure.message.contains("\(directories.path)/etc/bad.yaml: line "))
    }

    @Test(
        arguments: [
            (
                #"{"cdiVersion":"0.6.0","kind":"v.com/c","devices":[{"name":"d"},{"name":"d"}]}"#,
                "d is given twice"
            ),
            (#"{"cdiVersion":"0.6.0","kind":"v.com","devices":[{"name":"d"}]}"#, "vendor.com/class=name"),
            (#"{"cdiVersion":"0.6.0","kind":"v.com/c","devices":[{"name":"d/e"}]}"#, "vendor.com/class=name"),
        ])
    func `names are names`(_ text: String, _ says: String) throws {
        let directories = Directories()
        try directories.write("etc/a.json", text)
        let failure = try #require(throws: Failure.self) { try environment(directories, "v.com/c=d") }
        #expect(failure.message.contains(says), "\(failure.message)")
    }
}
