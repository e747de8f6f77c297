/// What a monitor is told over its launch socket: the container's launch and how to live beside it.
package struct MonitorPlan: Sendable, Equatable {
    package enum Mode: Sendable, Equatable {
        /// Stay as the container's monitor.
        case container
        /// `ctr exec`: launch with the caller's stdio, return the exit code (the program that `ctr` became).
        case exec
        /// A step of a build: launch with the given stdio, end when it has ended, or with it when the builder goes away.
        case step
    }

    package enum LogDriver: Sendable, Equatable {
        case none
        /// docker's json-file; a file is closed at `maximumSize` bytes (0: never), `maximumFiles` are kept. `attributes`
        /// go into each line: key, value, key, value.
        case json(maximumSize: UInt64, maximumFiles: UInt32, attributes: [String] = [])
        /// The lines that Kubernetes' runtimes write; files as above.
        case kubernetes(maximumSize: UInt64, maximumFiles: UInt32)
        /// systemd's journal: the fields of each entry, key, value, key, value.
        case journal(fields: [String])
    }

    package enum Restart: Sendable, Equatable {
        case no, always, unlessStopped
        /// 0 tries: without a limit.
        case onFailure(maximumTries: UInt32)
    }

    /// A volume of the container, for the events of its mount.
    package struct MountedVolume: Sendable, Equatable {
        package var name: String
        /// `Event.encoded`
        package var attributes: [UInt8]

        package init(name: String, attributes: [UInt8]) {
            self.name = name
            self.attributes = attributes
        }
    }

    package var mode: Mode
    package var containerID: String
    /// /run/ctr/<hash>/<id>: state, lock, FIFOs, attach socket.
    package var runDirectory: String
    /// containers/<id>: logs, exit record.
    package var containerDirectory: String
    /// argv of the `ctr` that the monitor spawns when it needs what only the Engine knows (restart, removal), e.g.
    /// ["ctr", "--root", "/var/lib/ctr", …]; the verb (`__restart ID`, `__remove ID`) is appended.
    package var engineArguments: [String]
    package var terminal: Bool
    /// The container's stdin stays open for attach (-i); otherwise it is /dev/null.
    package var openStdin: Bool
    /// stdin closes when the first attached client's does (docker's StdinOnce).
    package var stdinOnce: Bool
    package var log: LogDriver
    package var restart: Restart
    /// How often it was restarted so far, and the back-off to use next, in milliseconds.
    package var restartCount: UInt32
    package var autoRemove: Bool
    /// Owner of the stdio FIFOs.
    package var uid, gid: UInt32
    package var rows, columns: UInt16
    /// Detach keys for exec's own relay; empty: none.
    package var detachKeys: [UInt8]
    /// Where the cgroup.events/cgroup.kill of the container are, and what to rmdir when it is gone (deepest first).
    package var cgroupDirectory: String
    package var cgroupsToRemove: [String]
    /// The memory.events (v2) or memory.oom_control (v1) file that tells of an OOM kill.
    package var oomFile: String
    /// How the container is stopped when the monitor is told to end; seconds until the kill, negative for never.
    package var stopSignal: Int32
    package var stopTimeout: Int64
    /// Seconds after which a run is killed; 0: never.
    package var lifetime: Int64
    package var health: HealthCheck?
    /// Below it are the cgroups of the container's execs and of its health check; empty: there are none.
    package var childCgroups: String
    /// Of an exec: its name below `childCgroups`, and the container's monitor, which kills what is left when this
    /// process is killed.
    package var ownCgroup: String
    package var residentMonitor: Int32
    package var residentMonitorStart: UInt64
    /// The container's image, name and labels, as its events tell them (`Event.encoded`).
    package var eventAttributes: [UInt8]
    package var volumes: [MountedVolume]
    /// The container has networks: who launches attaches it to them while the child waits, at stage 2.
    package var awaitsNetwork: Bool
    /// `ResolverConfiguration.record` of the DNS server that the monitor is for the container; empty: it is none.
    package var resolver: [UInt8]
    /// What runs in the monitor's namespaces.
    package var hooks: [Hook] = []
    /// Of the monitor's network, which become the container's: the name there, empty for the same.
    package var netDevices: [String: String] = [:]
    package var launch: LaunchPlan

    package init(mode: Mode, containerID: String, launch: LaunchPlan) {
        self.mode = mode
        self.containerID = containerID
        self.launch = launch
        runDirectory = ""
        containerDirectory = ""
        engineArguments = []
        terminal = false
        openStdin = false
        stdinOnce = false
        log = .none
        restart = .no
        restartCount = 0
        autoRemove = false
        uid = 0
        gid = 0
        rows = 0
        columns = 0
        detachKeys = []
        cgroupDirectory = ""
        cgroupsToRemove = []
        oomFile = ""
        stopSignal = 15
        stopTimeout = 10
        lifetime = 0
        health = nil
        childCgroups = ""
        ownCgroup = ""
        residentMonitor = 0
        residentMonitorStart = 0
        eventAttributes = []
        volumes = []
        awaitsNetwork = false
        resolver = []
    }
}
