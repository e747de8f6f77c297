internal import Failure

extension PlanWriter {
    mutating func monitorPlan(_ plan: MonitorPlan) {
        switch plan.mode {
        case .container: number(UInt8(0))
        case .exec: number(UInt8(1))
        case .step: number(UInt8(2))
        }
        text(plan.containerID)
        text(plan.runDirectory)
        text(plan.containerDirectory)
        list(plan.engineArguments) { $0.text($1) }
        flag(plan.terminal)
        flag(plan.openStdin)
        flag(plan.stdinOnce)
        switch plan.log {
        case .none: number(UInt8(0))
        case .json(let size, let files, let attributes):
            number(UInt8(1))
            number(size)
            number(files)
            list(attributes) { $0.text($1) }
        case .kubernetes(let size, let files):
            number(UInt8(2))
            number(size)
            number(files)
        case .journal(let fields):
            number(UInt8(3))
            list(fields) { $0.text($1) }
        }
        switch plan.restart {
        case .no: number(UInt8(0))
        case .always: number(UInt8(1))
        case .unlessStopped: number(UInt8(2))
        case .onFailure(let tries):
            number(UInt8(3))
            number(tries)
        }
        number(plan.restartCount)
        flag(plan.autoRemove)
        number(plan.uid)
        number(plan.gid)
        number(plan.rows)
        number(plan.columns)
        data(plan.detachKeys)
        text(plan.cgroupDirectory)
        list(plan.cgroupsToRemove) { $0.text($1) }
        text(plan.oomFile)
        number(plan.stopSignal)
        number(plan.stopTimeout)
        number(plan.lifetime)
        list(plan.health.map { [$0] } ?? []) { $0.healthCheck($1) }
        text(plan.childCgroups)
        text(plan.ownCgroup)
        number(plan.residentMonitor)
        number(plan.residentMonitorStart)
        data(plan.eventAttributes)
        list(plan.volumes) {
            $0.text($1.name)
            $0.data($1.attributes)
        }
        flag(plan.awaitsNetwork)
        data(plan.resolver)
        list(plan.hooks) { $0.hook($1) }
        list(plan.netDevices.sorted { $0.key < $1.key }) {
            $0.text($1.key)
            $0.text($1.value)
        }
        number(plan.launch.namespaces)
        number(Int64(plan.launch.joinPIDNamespace ?? -1))
        list(plan.launch.cgroup) { $0.cgroupStep($1) }
        list(plan.launch.slots) { $0.slotSource($1) }
        list(plan.launch.parent) { $0.parentStep($1) }
    }

    private mutating func parentStep(_ step: ParentStep) {
        switch step {
        case .idMaps(let maps):
            number(UInt8(1))
            idMaps(maps)
        case .oomScore(let score):
            number(UInt8(2))
            number(score)
        case .resourceLimit(let resource, let soft, let hard):
            number(UInt8(3))
            number(resource)
            number(soft)
            number(hard)
        }
    }

    private mutating func idMaps(_ maps: IDMaps) {
        text(maps.uids)
        text(maps.gids)
        text(maps.namespace ?? "")
        flag(maps.recursive)
    }

    private mutating func cgroupStep(_ step: CgroupStep) {
        switch step {
        case .startScope(let name, let slice, let description, let bus):
            number(UInt8(1))
            text(name)
            text(slice)
            text(description)
            text(bus)
        case .makeDirectory(let path):
            number(UInt8(2))
            text(path)
        case .write(let path, let value, let optional):
            number(UInt8(3))
            text(path)
            text(value)
            flag(optional)
        case .moveSelf(let path):
            number(UInt8(4))
            text(path)
        case .attachDeviceFilter(let path, let program):
            number(UInt8(5))
            text(path)
            data(program)
        case .cloneInto(let path):
            number(UInt8(6))
            text(path)
        case .openForChild(let path, let slot):
            number(UInt8(7))
            text(path)
            number(Int64(slot))
        case .delegate(let path, let uid):
            number(UInt8(8))
            text(path)
            number(uid)
        }
    }

    private mutating func slotSource(_ source: SlotSource) {
        switch source {
        case .root: number(UInt8(1))
        case .bind(let path, let recursive, let own, let below, let ids):
            number(UInt8(2))
            text(path)
            flag(recursive)
            for change in [own, below] {
                number(change.set)
                number(change.clear)
            }
            flag(ids != nil)
            if let ids { idMaps(ids) }
        case .file(let path):
            number(UInt8(3))
            text(path)
        case .containerPIDFD: number(UInt8(4))
        case .standardInput: number(UInt8(5))
        case .standardOutput: number(UInt8(6))
        case .standardError: number(UInt8(7))
        case .terminal: number(UInt8(8))
        case .cgroupFile: number(UInt8(9))
        case .startFIFO: number(UInt8(10))
        case .publishedPort: number(UInt8(11))
        }
    }
}

extension PlanReader {
    /// All but the steps.
    mutating func monitorPlan() throws(Failure) -> MonitorPlan {
        let mode: MonitorPlan.Mode
        switch try number(UInt8.self) {
        case 0: mode = .container
        case 1: mode = .exec
        case 2: mode = .step
        default: throw PlanReader.damaged
        }
        var plan = MonitorPlan(
            mode: mode, containerID: try text(),
            launch: LaunchPlan(namespaces: 0, cgroup: [], steps: [], slots: []))
        plan.runDirectory = try text()
        plan.containerDirectory = try text()
        plan.engineArguments = try list { (reader) throws(Failure) in try reader.text() }
        plan.terminal = try flag()
        plan.openStdin = try flag()
        plan.stdinOnce = try flag()
        switch try number(UInt8.self) {
        case 0: plan.log = .none
        case 1:
            plan.log = .json(
                maximumSize: try number(), maximumFiles: try number(),
                attributes: try list { (reader) throws(Failure) in try reader.text() })
        case 2: plan.log = .kubernetes(maximumSize: try number(), maximumFiles: try number())
        case 3: plan.log = .journal(fields: try list { (reader) throws(Failure) in try reader.text() })
        default: throw PlanReader.damaged
        }
        switch try number(UInt8.self) {
        case 0: plan.restart = .no
        case 1: plan.restart = .always
        case 2: plan.restart = .unlessStopped
        case 3: plan.restart = .onFailure(maximumTries: try number())
        default: throw PlanReader.damaged
        }
        plan.restartCount = try number()
        plan.autoRemove = try flag()
        plan.uid = try number()
        plan.gid = try number()
        plan.rows = try number()
        plan.columns = try number()
        plan.detachKeys = try data()
        plan.cgroupDirectory = try text()
        plan.cgroupsToRemove = try list { (reader) throws(Failure) in try reader.text() }
        plan.oomFile = try text()
        plan.stopSignal = try number()
        plan.stopTimeout = try number()
        plan.lifetime = try number()
        plan.health = try list { (reader) throws(Failure) in try reader.healthCheck() }.first
        plan.childCgroups = try text()
        plan.ownCgroup = try text()
        plan.residentMonitor = try number()
        plan.residentMonitorStart = try number()
        plan.eventAttributes = try data()
        plan.volumes = try list { (reader) throws(Failure) in
            MonitorPlan.MountedVolume(name: try reader.text(), attributes: try reader.data())
        }
        plan.awaitsNetwork = try flag()
        plan.resolver = try data()
        plan.hooks = try list { (reader) throws(Failure) in try reader.hook() }
        let devices = try list { (reader) throws(Failure) in (try reader.text(), try reader.text()) }
        plan.netDevices = Dictionary(devices) { $1 }
        plan.launch.namespaces = try number()
        let slot = Int(try number(Int64.self))
        plan.launch.joinPIDNamespace = slot < 0 ? nil : slot
        plan.launch.cgroup = try list { (reader) throws(Failure) in try reader.cgroupStep() }
        plan.launch.slots = try list { (reader) throws(Failure) in try reader.slotSource() }
        plan.launch.parent = try list { (reader) throws(Failure) in try reader.parentStep() }
        return plan
    }

    private mutating func parentStep() throws(Failure) -> ParentStep {
        switch try number(UInt8.self) {
        case 1: .idMaps(try idMaps())
        case 2: .oomScore(try number())
        case 3: .resourceLimit(resource: try number(), soft: try number(), hard: try number())
        default: throw PlanReader.damaged
        }
    }

    private mutating func idMaps() throws(Failure) -> IDMaps {
        let uids = try text()
        let gids = try text()
        let namespace = try text()
        return IDMaps(
            uids: uids, gids: gids, namespace: namespace.isEmpty ? nil : namespace, recursive: try flag())
    }

    private mutating func cgroupStep() throws(Failure) -> CgroupStep {
        switch try number(UInt8.self) {
        case 1:
            .startScope(
                name: try text(), slice: try text(), description: try text(), bus: try text())
        case 2: .makeDirectory(try text())
        case 3: .write(path: try text(), value: try text(), optional: try flag())
        case 4: .moveSelf(path: try text())
        case 5: .attachDeviceFilter(path: try text(), program: try data())
        case 6: .cloneInto(path: try text())
        case 7: .openForChild(path: try text(), slot: Int(try number(Int64.self)))
        case 8: .delegate(path: try text(), uid: try number(UInt32.self))
        default: throw PlanReader.damaged
        }
    }

    private mutating func slotSource() throws(Failure) -> SlotSource {
        switch try number(UInt8.self) {
        case 1: .root
        case 2:
            .bind(
                path: try text(), recursive: try flag(),
                attributes: AttributeChange(set: try number(), clear: try number()),
                attributesBelow: AttributeChange(set: try number(), clear: try number()),
                ids: try flag() ? try idMaps() : nil)
        case 3: .file(path: try text())
        case 4: .containerPIDFD
        case 5: .standardInput
        case 6: .standardOutput
        case 7: .standardError
        case 8: .terminal
        case 9: .cgroupFile
        case 10: .startFIFO
        case 11: .publishedPort
        default: throw PlanReader.damaged
        }
    }
}
