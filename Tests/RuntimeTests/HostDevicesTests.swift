import Failure
import OCI
import Testing

@testable import Runtime

@Suite struct HostDevicesTests {
    @Test func nodesAreLookedUp() throws {
        let null = try HostDevices.at("/dev/null", pathInContainer: "/dev/nothing", permissions: "r")
        #expect(null.count == 1)
        #expect(null.first?.major == 1 && null.first?.minor == 3 && null.first?.kind == .character)
        #expect(null.first?.pathInContainer == "/dev/nothing" && null.first?.permissions == "r")
        let all = try HostDevices.all().map(\.pathInContainer)
        #expect(!all.contains("/dev/null"), "made for every container anyway")
        #expect(
            !all.contains { $0.hasPrefix("/dev/pts/") || $0.hasPrefix("/dev/shm/") || $0 == "/dev/console" })
    }

    @Test func othersAreRefused() {
        #expect(#expect(throws: Failure.self) { try HostDevices.at("/dev/none") }?.code == .notFound)
        #expect(
            #expect(throws: Failure.self) { try HostDevices.at("/etc/passwd") }?.message
                == "--device /etc/passwd: not a device node")
    }
}

@Suite struct CDINodeTests {
    private func node(_ text: String) throws -> CDISpec.DeviceNode {
        let spec =
            #"{"cdiVersion":"1.0.0","kind":"v/c","devices":[{"name":"d","containerEdits":{"deviceNodes":[\#(text)]}}]}"#
        return try CDISpec(bytes: Array(spec.utf8), as: "file").devices[0].edits.deviceNodes[0]
    }

    @Test func `what a spec leaves open is the host's`() throws {
        let found = try HostDevices.node(
            try node(#"{"path":"/dev/x","hostPath":"/dev/null","permissions":"r"}"#))
        #expect(
            found.device
                == RuntimeSpec.Device(
                    type: .character, path: "/dev/x", major: 1, minor: 3, fileMode: 0o666))
        #expect(found.permissions == "r")
        let own = try HostDevices.node(
            try node(#"{"path":"/dev/null","type":"c","major":7,"minor":9,"fileMode":256,"uid":3,"gid":4}"#))
        #expect(
            own.device
                == RuntimeSpec.Device(
                    type: .character, path: "/dev/null", major: 7, minor: 9, fileMode: 0o400, uid: 3, gid: 4))
    }

    @Test func `a spec that says all needs no node of the host`() throws {
        let found = try HostDevices.node(try node(#"{"path":"/dev/nowhere","type":"b","major":7,"minor":0}"#))
        #expect(found.device == RuntimeSpec.Device(type: .block, path: "/dev/nowhere", major: 7, minor: 0))
        #expect(throws: Failure.self) { try HostDevices.node(try node(#"{"path":"/dev/nowhere"}"#)) }
        #expect(throws: Failure.self) { try HostDevices.node(try node(#"{"path":"/dev/null","type":"b"}"#)) }
        #expect(throws: Failure.self) { try HostDevices.node(try node(#"{"path":"/etc/passwd"}"#)) }
    }
}
