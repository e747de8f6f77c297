internal import CommandTable
internal import Failure
internal import LinuxSystem
internal import OCI
internal import Runtime

extension SpecOptions.Resources {
    /// The limits of a container's settings; looks up the devices that they name.
    mutating func set(_ settings: ContainerSettings) throws(Failure) {
        memory = settings.memory
        memorySwap = settings.memorySwap
        memoryReservation = settings.memoryReservation
        memorySwappiness = settings.memorySwappiness
        oomKillDisable = settings.oomKillDisable
        nanoCPUs = settings.nanoCPUs
        if settings.nanoCPUs != nil { cpusAvailable = Self.onlineCPUs() }
        cpuShares = settings.cpuShares.map { UInt64($0) }
        cpuPeriod = settings.cpuPeriod.map { UInt64($0) }
        cpuQuota = settings.cpuQuota
        cpuRealtimePeriod = settings.cpuRealtimePeriod.map { UInt64($0) }
        cpuRealtimeRuntime = settings.cpuRealtimeRuntime
        cpusetCPUs = settings.cpusetCPUs.isEmpty ? nil : settings.cpusetCPUs
        cpusetNodes = settings.cpusetMems.isEmpty ? nil : settings.cpusetMems
        pidsLimit = settings.pidsLimit
        blkioWeight = settings.blkioWeight.map { UInt16(clamping: $0) }
        for text in settings.blkioWeightDevices {
            let limit = try DeviceLimit.weight(text)
            let device = try HostDevices.numbers(of: limit.path, flag: "--blkio-weight-device")
            blkioWeightDevices.append(
                RuntimeSpec.BlockIO.WeightDevice(
                    major: device.major, minor: device.minor, weight: UInt16(limit.amount)))
        }
        readBytesPerSecond = try Self.bytes(settings.deviceReadBps, flag: "--device-read-bps")
        writeBytesPerSecond = try Self.bytes(settings.deviceWriteBps, flag: "--device-write-bps")
        readOperationsPerSecond = try Self.operations(settings.deviceReadIOPS, flag: "--device-read-iops")
        writeOperationsPerSecond = try Self.operations(settings.deviceWriteIOPS, flag: "--device-write-iops")
    }

    private static func bytes(_ texts: [String], flag: String) throws(Failure)
        -> [RuntimeSpec.BlockIO.ThrottleDevice]
    {
        try texts.map { (text) throws(Failure) in try device(try DeviceLimit.bytes(text), flag) }
    }

    private static func operations(_ texts: [String], flag: String) throws(Failure)
        -> [RuntimeSpec.BlockIO.ThrottleDevice]
    {
        try texts.map { (text) throws(Failure) in try device(try DeviceLimit.operations(text), flag) }
    }

    private static func device(_ limit: DeviceLimit, _ flag: String) throws(Failure)
        -> RuntimeSpec.BlockIO.ThrottleDevice
    {
        let device = try HostDevices.numbers(of: limit.path, flag: flag)
        return RuntimeSpec.BlockIO.ThrottleDevice(
            major: device.major, minor: device.minor, rate: limit.amount)
    }

    /// From the kernel's list, `0-3,6`.
    private static func onlineCPUs() -> Int? {
        let bytes = (try? AtomicFile.read("/sys/devices/system/cpu/online", limit: 4096)) ?? nil
        guard let bytes else { return nil }
        var count = 0
        for range in String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self).split(
            separator: ",")
        {
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard let first = ends.first, let last = ends.last, last >= first else { return nil }
            count += last - first + 1
        }
        return count
    }
}
