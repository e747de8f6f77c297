/// Every flag of every verb by its long name, so that a program that asks for a flag that does not exist does not compile.
/// What a flag means, its short form and its kind belong to the verb (`-a` is `--all` in `ps` and `--attach` in `run`).
package enum FlagName: String, CaseIterable, Sendable {
    case addHost = "add-host"
    case all
    case allTags = "all-tags"
    case annotation
    case archive
    case attach
    case capAdd = "cap-add"
    case capDrop = "cap-drop"
    case cgroupns
    case change
    case cidfile
    case cpuPeriod = "cpu-period"
    case cpuQuota = "cpu-quota"
    case cpuShares = "cpu-shares"
    case cpus
    case cpusetCPUs = "cpuset-cpus"
    case cpusetMems = "cpuset-mems"
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
    case filter
    case follow
    case followLink = "follow-link"
    case force
    case format
    case groupAdd = "group-add"
    case help
    case hostname
    case human
    case `init`
    case input
    case interactive
    case ipc
    case label
    case labelFile = "label-file"
    case last
    case latest
    case logDriver = "log-driver"
    case logLevel = "log-level"
    case logOpt = "log-opt"
    case memory
    case memoryReservation = "memory-reservation"
    case memorySwap = "memory-swap"
    case message
    case mount
    case name
    case network
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
    case pull
    case quiet
    case readOnly = "read-only"
    case restart
    case rm
    case root
    case runRoot = "run-root"
    case securityOpt = "security-opt"
    case shmSize = "shm-size"
    case sigProxy = "sig-proxy"
    case signal
    case since
    case size
    case stopSignal = "stop-signal"
    case stopTimeout = "stop-timeout"
    case sysctl
    case tail
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
    case version
    case volume
    case volumes
    case volumesFrom = "volumes-from"
    case workdir
}
