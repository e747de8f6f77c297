import CommandTable
import Failure
import Testing

@Suite struct CDIValueTests {
    @Test(
        arguments: [
            ("vendor.com/class=name", true), ("nvidia.com/gpu=0", true), ("nvidia.com/gpu=all", true),
            ("nvidia.com/gpu=GPU-0aa1:2_b.c", true), ("v/c=d", true), ("a_b/c.d-e=1:0", true),
            ("vendor.com/class", false), ("vendor.com=name", false), ("/dev/a=b", false),
            ("vendor.com/a/b=c", false),
            ("vendor.com/class=", false), ("/class=name", false), ("vendor.com/=name", false),
            ("9v/c=d", false),
            ("v/9c=d", false), ("v/c=-d", false), ("v/c=d-", false), ("v-/c=d", false), ("v/c=d e", false),
            ("v/c=d=e", false), ("v/c=ä", false), ("", false),
            ("v/\(String(repeating: "c", count: 64))=d", false),
        ])
    func `names of CDI devices`(_ text: String, _ isOne: Bool) {
        #expect((CDIDeviceName(text) != nil) == isOne)
        if isOne { #expect(CDIDeviceName(text)?.description == text) }
    }

    @Test func `a device is a name or a path`() throws {
        #expect(try CDIDeviceName.ofDeviceFlag("v.com/c=d")?.kind == "v.com/c")
        #expect(try CDIDeviceName.ofDeviceFlag("/dev/null:/dev/x:r") == nil)
        for wrong in ["v.com/c=", "v.com=d", "dev/null", "/dev/null:x=y"] {
            #expect(throws: Failure.self) { try CDIDeviceName.ofDeviceFlag(wrong) }
        }
    }

    @Test(
        arguments: [
            ("all", ["all"]), ("-1", ["all"]), ("1", ["0"]), ("3", ["0", "1", "2"]), ("count=2", ["0", "1"]),
            ("count=all", ["all"]), ("device=1", ["1"]), ("device=0,2", ["0", "2"]),
            ("\"device=0,2\"", ["0", "2"]),
            ("device=GPU-3a23c669-1f69-c64e-cf85-44e9b07e7a2a", ["GPU-3a23c669-1f69-c64e-cf85-44e9b07e7a2a"]),
            ("all,capabilities=utility", ["all"]), ("\"capabilities=compute,utility\",device=1", ["1"]),
            ("driver=nvidia,count=1", ["0"]), ("driver=nvidia", ["0"]), ("device=1:0", ["1:0"]),
            ("device=all", ["all"]),
            ("0", nil), ("-2", nil), ("", nil), ("some", nil), ("device=", nil), ("device=/dev/x", nil),
            ("count=x", nil),
            ("2,device=1", nil), ("driver=amd", nil), ("options=a=b", nil), ("99999999999", nil),
        ] as [(String, [String]?)])
    func `GPUs are CDI devices of nvidia`(_ text: String, _ names: [String]?) {
        #expect((try? GPURequest.parse(text).devices) == names?.map { "nvidia.com/gpu=\($0)" })
    }

    @Test func `another driver is refused by its name`() throws {
        let failure = try #require(throws: Failure.self) { try GPURequest.parse("driver=amd,count=1") }
        #expect(failure.message.contains("\"amd\""))
        #expect(failure.hint?.contains("--device") == true)
    }
}
