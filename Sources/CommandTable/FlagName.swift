/// Every flag of every verb by its long name, so that a program that asks for a flag that does not exist does not compile.
/// What a flag means, its short form and its kind belong to the verb (`-a` is `--all` in `ps` and `--attach` in `run`).
package enum FlagName: String, CaseIterable, Sendable {
    case addHost = "add-host"
    case additionalGids = "additional-gids"
    case alias
    case all
    case allTags = "all-tags"
    case annotation
    case apparmor
    case archive
    case attach
    case balance
    case blkioWeight = "blkio-weight"
    case blkioWeightDevice = "blkio-weight-device"
    case buildArg = "build-arg"
    case buildContext = "build-context"
    case bundle
    case cacheFrom = "cache-from"
    case cacheTo = "cache-to"
    case cap
    case capAdd = "cap-add"
    case capDrop = "cap-drop"
    case cgroup
    case cgroupParent = "cgroup-parent"
    case cgroupns
    case change
    case check
    case cidfile
    case consoleSocket = "console-socket"
    case cpuBurst = "cpu-burst"
    case cpuIdle = "cpu-idle"
    case cpuPeriod = "cpu-period"
    case cpuQuota = "cpu-quota"
    case cpuRealtimePeriod = "cpu-rt-period"
    case cpuRealtimeRuntime = "cpu-rt-runtime"
    case cpuShare = "cpu-share"
    case cpuShares = "cpu-shares"
    case cpus
    case cpusetCPUs = "cpuset-cpus"
    case cpusetMems = "cpuset-mems"
    case criu
    case cwd
    case debug
    case detach
    case detachKeys = "detach-keys"
    case device
    case deviceCgroupRule = "device-cgroup-rule"
    case deviceReadBps = "device-read-bps"
    case deviceReadIOPS = "device-read-iops"
    case deviceWriteBps = "device-write-bps"
    case deviceWriteIOPS = "device-write-iops"
    case digests
    case dns
    case dnsOption = "dns-option"
    case dnsSearch = "dns-search"
    case domainname
    case driver
    case entrypoint
    case env
    case envFile = "env-file"
    case envHost = "env-host"
    case explain
    case expose
    case exposed
    case file
    case filter
    case follow
    case followLink = "follow-link"
    case force
    case forceRemove = "force-rm"
    case format
    case gateway
    case gidmap
    case gpus
    case groupAdd = "group-add"
    case healthCmd = "health-cmd"
    case healthInterval = "health-interval"
    case healthOnFailure = "health-on-failure"
    case healthRetries = "health-retries"
    case healthStartInterval = "health-start-interval"
    case healthStartPeriod = "health-start-period"
    case healthTimeout = "health-timeout"
    case help
    case hostname
    case human
    case ignore
    case ignorePaused = "ignore-paused"
    case iidfile
    case imageVolume = "image-volume"
    case `init`
    case input
    case interactive
    case `internal`
    case interval
    case ip
    case ip6
    case ipc
    case ipRange = "ip-range"
    case ipv6
    case isolation
    case keep
    case keepStorage = "keep-storage"
    case label
    case labelFile = "label-file"
    case last
    case latest
    case linkLocalIP = "link-local-ip"
    case load
    case log
    case logDriver = "log-driver"
    case kernelMemory = "kernel-memory"
    case kernelMemoryTCP = "kernel-memory-tcp"
    case l3CacheSchema = "l3-cache-schema"
    case logFormat = "log-format"
    case logLevel = "log-level"
    case logOpt = "log-opt"
    case macAddress = "mac-address"
    case memBwSchema = "mem-bw-schema"
    case memory
    case memoryReservation = "memory-reservation"
    case memorySwap = "memory-swap"
    case memorySwappiness = "memory-swappiness"
    case message
    case metadataFile = "metadata-file"
    case mount
    case name
    case network
    case networkAlias = "network-alias"
    case noCache = "no-cache"
    case noCacheFilter = "no-cache-filter"
    case noHealthcheck = "no-healthcheck"
    case noNewKeyring = "no-new-keyring"
    case noNewPrivs = "no-new-privs"
    case noPivot = "no-pivot"
    case noPrune = "no-prune"
    case noStdin = "no-stdin"
    case noStream = "no-stream"
    case noSubreaper = "no-subreaper"
    case noTrunc = "no-trunc"
    case oomKillDisable = "oom-kill-disable"
    case oomScoreAdj = "oom-score-adj"
    case opt
    case output
    case password
    case passwordStdin = "password-stdin"
    case pid
    case pidFile = "pid-file"
    case pidfdSocket = "pidfd-socket"
    case pidsLimit = "pids-limit"
    case platform
    case preserveFds = "preserve-fds"
    case privileged
    case process
    case processLabel = "process-label"
    case progress
    case publish
    case publishAll = "publish-all"
    case pull
    case push
    case quiet
    case readOnly = "read-only"
    case readOnlyTmpfs = "read-only-tmpfs"
    case replace
    case requires
    case resources
    case restart
    case rm
    case rmi
    case root
    case rootfs
    case rootless
    case runRoot = "run-root"
    case secret
    case securityOpt = "security-opt"
    case shmSize = "shm-size"
    case sigProxy = "sig-proxy"
    case signal
    case since
    case size
    case ssh
    case stats
    case stopSignal = "stop-signal"
    case stopTimeout = "stop-timeout"
    case storageOpt = "storage-opt"
    case subnet
    case sysctl
    case systemdCgroup = "systemd-cgroup"
    case tag
    case tail
    case target
    case timeout
    case timestamps
    case tmpfs
    case tty
    case type
    case tz
    case uidmap
    case ulimit
    case unsetenv
    case unsetenvAll = "unsetenv-all"
    case until
    case user
    case username
    case userns
    case uts
    case verbose
    case version
    case volume
    case volumeDriver = "volume-driver"
    case volumes
    case volumesFrom = "volumes-from"
    case wait
    case waitTimeout = "wait-timeout"
    case workdir
}
