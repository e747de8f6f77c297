import LinuxSystem
import Testing

@testable import ContainerMonitor

@Suite struct HealthRecordTests {
    private func result(_ code: Int32, _ output: String = "") -> HealthRecord.Result {
        HealthRecord.Result(start: 1, end: 2, exitCode: code, output: output)
    }

    @Test func threeFailuresInARowMakeItUnhealthyAndOneSuccessHealthy() {
        var health = HealthRecord()
        for _ in 0..<2 { health.add(result(1), retries: 3, counts: true) }
        #expect(health.status == .starting && health.failingStreak == 2)
        health.add(result(0), retries: 3, counts: true)
        #expect(health.status == .healthy && health.failingStreak == 0)
        for _ in 0..<3 { health.add(result(7), retries: 3, counts: true) }
        #expect(health.status == .unhealthy && health.failingStreak == 3)
        health.add(result(0), retries: 3, counts: true)
        #expect(health.status == .healthy)
    }

    @Test func failuresOfTheStartPeriodDoNotCount() {
        var health = HealthRecord()
        for _ in 0..<9 { health.add(result(-1), retries: 1, counts: false) }
        #expect(health.status == .starting && health.failingStreak == 0)
        #expect(health.log.count == 5)
    }

    @Test func theRecordComesBack() throws {
        let path = "/dev/shm/ctr-test-\(randomHex(bytes: 6))"
        try Directory.ensurePath(path)
        defer { try? Directory.removeTree(path) }
        #expect(try HealthRecord.read(path) == nil)
        var health = HealthRecord()
        for index in 0..<6 {
            health.add(result(Int32(index), "line \(index)\nand more  \\ \n"), retries: 2, counts: true)
        }
        let directory = try Directory.open(path)
        try health.write(in: directory.raw)
        let back = try #require(try HealthRecord.read(path))
        #expect(back == health)
        #expect(back.log.map(\.exitCode) == [1, 2, 3, 4, 5])
    }

    @Test func namesOfExecCgroups() {
        let client = ProcessIdentity(pid: 17, startTime: 1 << 33)
        #expect(ExecCgroup.client(of: ExecCgroup.name(of: client)) == client)
        #expect(ExecCgroup.client(of: ExecCgroup.detachedName()) == nil)
        #expect(ExecCgroup.client(of: "exec-17") == nil)
    }
}
