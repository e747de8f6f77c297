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
