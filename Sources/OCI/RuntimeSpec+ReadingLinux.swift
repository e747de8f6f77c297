package import Failure

extension RuntimeSpec.Linux {
    init(reading fields: JSONFields) throws(Failure) {
        self.init()
        uidMappings = try fields.list("uidMappings", RuntimeSpec.IDMapping.init(reading:))
        gidMappings = try fields.list("gidMappings", RuntimeSpec.IDMapping.init(reading:))
        timeOffsets = try fields.object("timeOffsets", RuntimeSpec.TimeOffsets.init(reading:))
        sysctl = try fields.textsByKey("sysctl")
        resources = try fields.object("resources", RuntimeSpec.Resources.init(reading:))
        cgroupsPath = try fields.text("cgroupsPath")
        namespaces = try fields.list("namespaces", RuntimeSpec.Namespace.init(reading:))
        netDevices = try fields.objectsByKey("netDevices") { (device) throws(Failure) in
            RuntimeSpec.NetDevice(name: try device.text("name"))
        }
        devices = try fields.list("devices", RuntimeSpec.Device.init(reading:))
        seccomp = try fields.object("seccomp", RuntimeSpec.Seccomp.init(reading:))
        rootfsPropagation = try fields.text("rootfsPropagation")
        maskedPaths = try fields.texts("maskedPaths")
        readonlyPaths = try fields.texts("readonlyPaths")
        mountLabel = try fields.text("mountLabel")
        intelRdt = try fields.object("intelRdt", RuntimeSpec.IntelRdt.init(reading:))
        memoryPolicy = try fields.object("memoryPolicy", RuntimeSpec.MemoryPolicy.init(reading:))
        personality = try fields.object("personality", RuntimeSpec.Personality.init(reading:))
    }
}

extension RuntimeSpec.Namespace {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(try fields.needed("type", fields.word), path: try fields.text("path"))
    }
}

extension RuntimeSpec.TimeOffsets {
    init(reading fields: JSONFields) throws(Failure) {
        func offset(_ fields: JSONFields) throws(Failure) -> Offset {
            Offset(secs: try fields.number("secs"), nanosecs: try fields.number("nanosecs"))
        }
        self.init(
            monotonic: try fields.object("monotonic", offset), boottime: try fields.object("boottime", offset)
        )
    }
}

extension RuntimeSpec.Device {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(
            type: try fields.needed("type", fields.word), path: try fields.needed("path", fields.text),
            major: try fields.number("major"), minor: try fields.number("minor"),
            fileMode: try fields.number("fileMode"), uid: try fields.number("uid"),
            gid: try fields.number("gid"))
    }
}

extension RuntimeSpec.IntelRdt {
    init(reading fields: JSONFields) throws(Failure) {
        self.init()
        closID = try fields.text("closID")
        schemata = try fields.texts("schemata")
        l3CacheSchema = try fields.text("l3CacheSchema")
        memBwSchema = try fields.text("memBwSchema")
        enableMonitoring = try fields.flag("enableMonitoring")
    }
}

extension RuntimeSpec.MemoryPolicy {
    init(reading fields: JSONFields) throws(Failure) {
        // That the mode is there is `check`'s to say.
        self.init(mode: .default, nodes: try fields.text("nodes"), flags: try fields.words("flags"))
        mode = try fields.word("mode")
    }
}

extension RuntimeSpec.Personality {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(domain: .linux, flags: try fields.texts("flags"))
        domain = try fields.word("domain")
    }
}

extension RuntimeSpec.Seccomp {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(defaultAction: try fields.needed("defaultAction", fields.word))
        defaultErrnoRet = try fields.number("defaultErrnoRet")
        architectures = try fields.texts("architectures")
        flags = try fields.words("flags")
        listenerPath = try fields.text("listenerPath")
        listenerMetadata = try fields.text("listenerMetadata")
        syscalls = try fields.list("syscalls") { (call) throws(Failure) in
            Syscall(
                names: try call.needed("names", call.texts), action: try call.needed("action", call.word),
                errnoRet: try call.number("errnoRet"),
                args: try call.list("args") { (argument) throws(Failure) in
                    Argument(
                        index: try argument.needed("index", argument.number),
                        value: try argument.needed("value", argument.number),
                        valueTwo: try argument.number("valueTwo"),
                        op: try argument.needed("op", argument.word))
                })
        }
    }
}

extension RuntimeSpec.Resources {
    /// Of `update` too.
    package init(bytes: [UInt8], as what: String) throws(Failure) {
        try self.init(reading: try JSONFields(bytes, as: what))
        try check()
    }

    init(reading fields: JSONFields) throws(Failure) {
        self.init()
        devices = try fields.list("devices") { (rule) throws(Failure) in
            RuntimeSpec.DeviceRule(
                allow: try rule.needed("allow", rule.flag), type: try rule.text("type"),
                major: try rule.number("major"), minor: try rule.number("minor"),
                access: try rule.text("access"))
        }
        memory = try fields.object("memory", RuntimeSpec.Memory.init(reading:))
        cpu = try fields.object("cpu", RuntimeSpec.CPU.init(reading:))
        pids = try fields.object("pids") { (pids) throws(Failure) in
            RuntimeSpec.Pids(limit: try pids.needed("limit", pids.number))
        }
        blockIO = try fields.object("blockIO", RuntimeSpec.BlockIO.init(reading:))
        hugepageLimits = try fields.list("hugepageLimits") { (limit) throws(Failure) in
            RuntimeSpec.HugepageLimit(
                pageSize: try limit.needed("pageSize", limit.text),
                limit: try limit.needed("limit", limit.number))
        }
        network = try fields.object("network", RuntimeSpec.Network.init(reading:))
        rdma = try fields.objectsByKey("rdma") { (device) throws(Failure) in
            RuntimeSpec.Rdma(
                hcaHandles: try device.number("hcaHandles"), hcaObjects: try device.number("hcaObjects"))
        }
        unified = try fields.textsByKey("unified")
    }
}

extension RuntimeSpec.Memory {
    init(reading fields: JSONFields) throws(Failure) {
        self.init()
        limit = try fields.number("limit")
        reservation = try fields.number("reservation")
        swap = try fields.number("swap")
        kernel = try fields.number("kernel")
        kernelTCP = try fields.number("kernelTCP")
        swappiness = try fields.number("swappiness")
        disableOOMKiller = try fields.flag("disableOOMKiller")
        useHierarchy = try fields.flag("useHierarchy")
        checkBeforeUpdate = try fields.flag("checkBeforeUpdate")
    }
}

extension RuntimeSpec.CPU {
    init(reading fields: JSONFields) throws(Failure) {
        self.init()
        shares = try fields.number("shares")
        quota = try fields.number("quota")
        burst = try fields.number("burst")
        period = try fields.number("period")
        realtimeRuntime = try fields.number("realtimeRuntime")
        realtimePeriod = try fields.number("realtimePeriod")
        cpus = try fields.text("cpus")
        mems = try fields.text("mems")
        idle = try fields.number("idle")
    }
}

extension RuntimeSpec.BlockIO {
    init(reading fields: JSONFields) throws(Failure) {
        func throttles(_ key: String) throws(Failure) -> [ThrottleDevice]? {
            try fields.list(key) { (device) throws(Failure) in
                var throttle = ThrottleDevice(
                    major: try device.needed("major", device.number),
                    minor: try device.needed("minor", device.number), rate: 0)
                throttle.rate = try device.needed("rate", device.number)
                return throttle
            }
        }
        self.init()
        weight = try fields.number("weight")
        leafWeight = try fields.number("leafWeight")
        weightDevice = try fields.list("weightDevice") { (device) throws(Failure) in
            WeightDevice(
                major: try device.needed("major", device.number),
                minor: try device.needed("minor", device.number), weight: try device.number("weight"),
                leafWeight: try device.number("leafWeight"))
        }
        throttleReadBpsDevice = try throttles("throttleReadBpsDevice")
        throttleWriteBpsDevice = try throttles("throttleWriteBpsDevice")
        throttleReadIOPSDevice = try throttles("throttleReadIOPSDevice")
        throttleWriteIOPSDevice = try throttles("throttleWriteIOPSDevice")
    }
}

extension RuntimeSpec.Network {
    init(reading fields: JSONFields) throws(Failure) {
        self.init()
        classID = try fields.number("classID")
        priorities = try fields.list("priorities") { (entry) throws(Failure) in
            Priority(
                name: try entry.needed("name", entry.text),
                priority: try entry.needed("priority", entry.number))
        }
    }
}
