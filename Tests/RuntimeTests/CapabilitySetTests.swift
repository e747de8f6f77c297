import Failure
import Testing

@testable import Runtime

@Suite struct CapabilitySetTests {
    @Test func numbersAreTheKernels() {
        #expect(CapabilitySet(name: "CAP_CHOWN")?.rawValue == 1)
        #expect(CapabilitySet(name: "sys_admin")?.rawValue == 1 << 21)
        #expect(CapabilitySet(name: "Cap_Checkpoint_Restore")?.rawValue == 1 << 40)
        #expect(CapabilitySet(name: "CAP_") == nil)
        #expect(CapabilitySet(name: "CAP_CAP_CHOWN") == nil)
        #expect(CapabilitySet.all.rawValue == 0x1ff_ffff_ffff)
        // The mask that docker's containers show in /proc/1/status.
        #expect(CapabilitySet.dockerDefault.rawValue == 0xa804_25fb)
        #expect(CapabilitySet.dockerDefault.names.count == 14)
    }

    private func granted(
        _ add: [String] = [], _ drop: [String] = [], privileged: Bool = false,
        available: CapabilitySet = .all
    ) throws -> CapabilitySet {
        try CapabilitySet.granted(add: add, drop: drop, privileged: privileged, available: available)
    }

    @Test func addAndDropAsDocker() throws {
        let lacking = CapabilitySet.all.subtracting(CapabilitySet(name: "SYS_RESOURCE") ?? [])
        #expect(try granted() == .dockerDefault)
        #expect(try granted(["NET_ADMIN"], ["mknod"]).rawValue == 0xa804_25fb & ~(1 << 27) | 1 << 12)
        #expect(try granted([], ["ALL"]) == [])
        #expect(try granted(["CHOWN"], ["ALL"]).names == ["CAP_CHOWN"])
        #expect(try granted(["all"], ["CAP_SYS_ADMIN"]).rawValue == 0x1ff_ffff_ffff & ~(1 << 21))
        #expect(try granted([], ["CHOWN"], privileged: true) == .all)
        #expect(try granted(privileged: true, available: lacking) == lacking)
        #expect(try granted(["ALL"], available: lacking) == lacking)
    }

    @Test func wrongNamesAndMissingOnesAreTold() {
        let unknown = #expect(throws: Failure.self) { try granted(["CHOWNN"]) }
        #expect(unknown?.message == "--cap-add CHOWNN: unknown capability")
        #expect(throws: Failure.self) { try granted([], ["CAP_"]) }
        let lacking = CapabilitySet.all.subtracting(CapabilitySet(name: "SYS_RESOURCE") ?? [])
        let missing = #expect(throws: Failure.self) { try granted(["sys_resource"], available: lacking) }
        #expect(missing?.code == .permissionDenied)
        #expect(missing?.message == "--cap-add CAP_SYS_RESOURCE: ctr itself does not hold this capability")
    }
}
