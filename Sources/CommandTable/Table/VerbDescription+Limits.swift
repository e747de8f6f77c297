extension VerbDescription {
    static var update: VerbDescription {
        VerbDescription(
            .update, "[OPTIONS] CONTAINER [CONTAINER...]", "Change the limits of containers",
            about: """
                A running container gets them at once, and each later start has them. What is not named stays as it is. \
                Without --memory-swap, memory and swap together are twice the memory.
                """,
            arguments: 1...unlimited, completes: .containers,
            flags: limitFlags.filter { $0.name != .memorySwappiness } + [
                .value(
                    .restart, "string",
                    "What to do when the process has ended (no, always, unless-stopped, on-failure[:RETRIES])",
                    check: .restartPolicy)
            ])
    }

    /// What `update` changes too.
    static var limitFlags: [FlagDescription] {
        [
            .value(
                .blkioWeight, "uint16", "Weight among containers that compete for block devices, 10 to 1000",
                check: .integer(0...1000)),
            .value(
                .cpuPeriod, "int", "Period of the processor time limit in microseconds",
                check: .integer(0...Int64.max)),
            .value(
                .cpuQuota, "int", "Processor time in one period in microseconds",
                check: .integer(-1...Int64.max)),
            .value(
                .cpuRealtimePeriod, "int", "Period of the real-time limit in microseconds (cgroup v1)",
                check: .integer(0...Int64.max)),
            .value(
                .cpuRealtimeRuntime, "int",
                "Real-time processor time in one period in microseconds (cgroup v1)",
                check: .integer(0...Int64.max)),
            .value(
                .cpuShares, short: "c", "int", "Weight among containers that compete for processors",
                check: .integer(0...262_144)),
            .value(.cpus, "decimal", "Number of processors (0.5)", check: .cpuCount),
            .value(.cpusetCPUs, "string", "Processors that may be used (0-2,4)"),
            .value(.cpusetMems, "string", "Memory nodes that may be used (0-1)"),
            .value(
                .kernelMemory, "bytes", "No effect: the kernel limits no kernel memory alone any more",
                check: .byteSize),
            .value(.memory, short: "m", "bytes", "Limit of memory", check: .byteSize),
            .value(
                .memoryReservation, "bytes", "Memory that is kept when memory runs short", check: .byteSize),
            .value(
                .memorySwap, "bytes", "Limit of memory and swap together, -1 for unlimited swap",
                check: .byteSizeOrUnlimited),
            .value(
                .memorySwappiness, "int", "How readily memory is swapped out, 0 to 100 (cgroup v1)",
                check: .integer(-1...100)),
            .value(
                .pidsLimit, "int", "Limit of processes and threads, -1 for none",
                check: .integer(-1...Int64.max)),
        ]
    }

    /// Settled at the start.
    static var cgroupFlags: [FlagDescription] {
        [
            .list(
                .blkioWeightDevice, "list", "Weight for one block device (/dev/PATH:WEIGHT)",
                check: .deviceWeight),
            .value(
                .cgroupParent, "string",
                "Where the container's cgroups are made: a slice with systemd, else a path"),
            .list(
                .deviceCgroupRule, "list", "Allow devices by type and numbers (\"c 1:3 rwm\", \"b 8:* r\")"),
            .list(
                .deviceReadBps, "list", "Limit of bytes read a second (/dev/PATH:RATE)", check: .deviceBytes),
            .list(
                .deviceReadIOPS, "list", "Limit of reads a second (/dev/PATH:COUNT)",
                check: .deviceOperations),
            .list(
                .deviceWriteBps, "list", "Limit of bytes written a second (/dev/PATH:RATE)",
                check: .deviceBytes),
            .list(
                .deviceWriteIOPS, "list", "Limit of writes a second (/dev/PATH:COUNT)",
                check: .deviceOperations),
            .toggle(.oomKillDisable, "Let the container wait for memory instead of killing it (cgroup v1)"),
        ]
    }
}
