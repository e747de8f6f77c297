/// Every flag of every verb by its long name, so that a program that asks for a flag that does not exist does not compile.
/// What a flag means, its short form and its kind belong to the verb (`-a` is `--all` in `ps` and `--attach` in `run`).
package enum FlagName: String, CaseIterable, Sendable {
    case addHost = "add-host"
    case all
    case allTags = "all-tags"
    case annotation
    case archive
    case attach
    case buildArg = "build-arg"
    case buildContext = "build-context"
    case cacheFrom = "cache-from"
    case cacheTo = "cache-to"
    case capAdd = "cap-add"
    case capDrop = "cap-drop"
    case cgroupns
    case change
    case check
    case cidfile
    case cpuPeriod = "cpu-period"
    case cpuQuota = "cpu-quota"
    case cpus
    case cpusetCPUs = "cpuset-cpus"
    case cpusetMems = "cpuset-mems"
    case cpuShares = "cpu-shares"
    case debug
    case detach
    case detachKeys = "detach-keys"
    case device
    case digests
    case domainname
    case driver
    case entrypoint
    case env
    case envFile = "env-file"
    case explain
    case file
    case filter
    case follow
    case followLink = "follow-link"
    case force
    case forceRemove = "force-rm"
    case format
    case groupAdd = "group-add"
    case help
    case hostname
    case human
    case iidfile
    case `init`
    case input
    case interactive
    case ipc
    case keepStorage = "keep-storage"
    case label
    case labelFile = "label-file"
    case last
    case latest
    case load
    case logDriver = "log-driver"
    case logLevel = "log-level"
    case logOpt = "log-opt"
    case memory
    case memoryReservation = "memory-reservation"
    case memorySwap = "memory-swap"
    case message
    case metadataFile = "metadata-file"
    case mount
    case name
    case network
    case noCache = "no-cache"
    case noCacheFilter = "no-cache-filter"
    case noHealthcheck = "no-healthcheck"
    case noPrune = "no-prune"
    case noStdin = "no-stdin"
    case noTrunc = "no-trunc"
    case oomScoreAdj = "oom-score-adj"
    case opt
    case output
    case password
    case passwordStdin = "password-stdin"
    case pid
    case pidsLimit = "pids-limit"
    case platform
    case privileged
    case progress
    case pull
    case push
    case quiet
    case readOnly = "read-only"
    case restart
    case rm
    case root
    case runRoot = "run-root"
    case secret
    case securityOpt = "security-opt"
    case shmSize = "shm-size"
    case signal
    case sigProxy = "sig-proxy"
    case since
    case size
    case ssh
    case stopSignal = "stop-signal"
    case stopTimeout = "stop-timeout"
    case sysctl
    case tag
    case tail
    case target
    case timeout
    case timestamps
    case tmpfs
    case tty
    case type
    case ulimit
    case until
    case user
    case username
    case uts
    case verbose
    case version
    case volume
    case volumes
    case volumesFrom = "volumes-from"
    case workdir
}
