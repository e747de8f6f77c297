import LaunchPlan
import OCI
import Testing

@testable import Runtime

extension PlannerTests {
    /// Where an exec with a cgroup of its own is put, by the location that a container's state tells.
    private func cgroupSteps(_ location: CgroupLocation) throws -> [CgroupStep] {
        let host = HostFacts(cgroups: hybridLayout)
        let spec = try SpecBuilder.build(plain, host: host)
        let process = try SpecBuilder.execProcess(in: spec, arguments: ["sh"], host: host)
        let context = Planner.Context(containerID: "c1", host: host, placement: nil, seccompFilter: nil)
        return try Planner.execPlan(process, in: spec, location: location, child: "exec-1-2", context).cgroup
    }

    @Test func aCgroupOfItsOwnIsInCgroup2WhereThereIsOne() throws {
        let location = CgroupLocation(
            running: "/sys/fs/cgroup/unified/ctr/c1", tasks: ["/sys/fs/cgroup/memory/ctr/c1/tasks"])
        #expect(location.childDirectory == "/sys/fs/cgroup/unified/ctr/c1")
        #expect(
            try cgroupSteps(location) == [
                .makeDirectory("/sys/fs/cgroup/unified/ctr/c1/exec-1-2"),
                .openForChild(path: "/sys/fs/cgroup/memory/ctr/c1/tasks", slot: 1),
                .cloneInto(path: "/sys/fs/cgroup/unified/ctr/c1/exec-1-2"),
            ])
    }

    @Test func onLegacyAloneItIsTheFreezers() throws {
        let tasks = ["memory", "freezer", "pids"].map { "/sys/fs/cgroup/\($0)/ctr/c1/tasks" }
        let location = CgroupLocation(running: "/sys/fs/cgroup/memory/ctr/c1", tasks: tasks)
        #expect(location.unified == nil)
        #expect(
            try cgroupSteps(location) == [
                .makeDirectory("/sys/fs/cgroup/freezer/ctr/c1/exec-1-2"),
                .openForChild(path: "/sys/fs/cgroup/memory/ctr/c1/tasks", slot: 1),
                .openForChild(path: "/sys/fs/cgroup/freezer/ctr/c1/exec-1-2/tasks", slot: 2),
                .openForChild(path: "/sys/fs/cgroup/pids/ctr/c1/tasks", slot: 3),
            ])
    }
}
