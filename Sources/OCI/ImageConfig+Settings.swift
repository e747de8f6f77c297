extension ImageConfig {
    /// How a container of the image runs unless told otherwise.
    package struct Settings: Hashable, Sendable, Codable {
        /// `user[:group]`, names or numbers.
        package var user: String?
        /// `port[/protocol]`, sorted.
        package var exposedPorts: [String]?
        /// `NAME=value`
        package var env: [String]?
        package var entrypoint: [String]?
        package var cmd: [String]?
        /// Paths inside the container, sorted.
        package var volumes: [String]?
        package var workingDir: String?
        package var labels: [String: String]?
        package var stopSignal: String?
        /// Windows' mark that the arguments are one line already; kept, means nothing here.
        package var argsEscaped: Bool?
        /// Docker's additions.
        package var healthcheck: Healthcheck?
        package var onBuild: [String]?
        package var shell: [String]?
        /// Seconds between the stop signal and the kill.
        package var stopTimeout: Int?

        enum CodingKeys: String, CodingKey {
            case user = "User"
            case exposedPorts = "ExposedPorts"
            case env = "Env"
            case entrypoint = "Entrypoint"
            case cmd = "Cmd"
            case volumes = "Volumes"
            case workingDir = "WorkingDir"
            case labels = "Labels"
            case stopSignal = "StopSignal"
            case argsEscaped = "ArgsEscaped"
            case healthcheck = "Healthcheck"
            case onBuild = "OnBuild"
            case shell = "Shell"
            case stopTimeout = "StopTimeout"
        }

        package init() {}

        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            user = try container.decodeIfPresent(String.self, forKey: .user)
            exposedPorts = try container.decodeIfPresent(Names.self, forKey: .exposedPorts)?.sorted
            env = try container.decodeIfPresent([String].self, forKey: .env)
            entrypoint = try container.decodeIfPresent([String].self, forKey: .entrypoint)
            cmd = try container.decodeIfPresent([String].self, forKey: .cmd)
            volumes = try container.decodeIfPresent(Names.self, forKey: .volumes)?.sorted
            workingDir = try container.decodeIfPresent(String.self, forKey: .workingDir)
            labels = try container.decodeIfPresent([String: String].self, forKey: .labels)
            stopSignal = try container.decodeIfPresent(String.self, forKey: .stopSignal)
            argsEscaped = try container.decodeIfPresent(Bool.self, forKey: .argsEscaped)
            healthcheck = try container.decodeIfPresent(Healthcheck.self, forKey: .healthcheck)
            onBuild = try container.decodeIfPresent([String].self, forKey: .onBuild)
            shell = try container.decodeIfPresent([String].self, forKey: .shell)
            stopTimeout = try container.decodeIfPresent(Int.self, forKey: .stopTimeout)
        }

        package func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encodeIfPresent(user, forKey: .user)
            try container.encodeIfPresent(exposedPorts.map(Names.init), forKey: .exposedPorts)
            try container.encodeIfPresent(env, forKey: .env)
            try container.encodeIfPresent(entrypoint, forKey: .entrypoint)
            try container.encodeIfPresent(cmd, forKey: .cmd)
            try container.encodeIfPresent(volumes.map(Names.init), forKey: .volumes)
            try container.encodeIfPresent(workingDir, forKey: .workingDir)
            try container.encodeIfPresent(labels, forKey: .labels)
            try container.encodeIfPresent(stopSignal, forKey: .stopSignal)
            try container.encodeIfPresent(argsEscaped, forKey: .argsEscaped)
            try container.encodeIfPresent(healthcheck, forKey: .healthcheck)
            try container.encodeIfPresent(onBuild, forKey: .onBuild)
            try container.encodeIfPresent(shell, forKey: .shell)
            try container.encodeIfPresent(stopTimeout, forKey: .stopTimeout)
        }
    }

    /// Docker's health check. Durations are nanoseconds; nil and 0 mean the default.
    package struct Healthcheck: Hashable, Sendable, Codable {
        /// Empty: as the base image; `NONE`; `CMD`, arguments…; `CMD-SHELL`, line.
        package var test: [String]?
        package var interval: Int64?
        package var timeout: Int64?
        package var startPeriod: Int64?
        package var startInterval: Int64?
        package var retries: Int?

        enum CodingKeys: String, CodingKey {
            case test = "Test"
            case interval = "Interval"
            case timeout = "Timeout"
            case startPeriod = "StartPeriod"
            case startInterval = "StartInterval"
            case retries = "Retries"
        }

        package init(test: [String]? = nil) {
            self.test = test
        }
    }

    /// Go's way to write a set: an object whose values are empty objects.
    private struct Names: Codable {
        private struct Nothing: Codable {}
        private var members: [String: Nothing]

        init(_ names: [String]) {
            members = Dictionary(names.map { ($0, Nothing()) }) { first, _ in first }
        }

        var sorted: [String] { members.keys.sorted() }

        init(from decoder: any Decoder) throws {
            members = try decoder.singleValueContainer().decode([String: Nothing?].self)
                .mapValues { _ in Nothing() }
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            try container.encode(members)
        }
    }
}
