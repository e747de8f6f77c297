internal import LinuxSystem

/// What a container's monitor watches over, and what a start needs beside the image: part of the settings.
package struct LifeSettings: Sendable, Equatable {
    package var health = HealthSettings()
    /// `--timeout`: seconds after which a run is killed.
    package var lifetime: Int64?
    /// `--requires`: the ids of containers that are started first.
    package var requires: [String] = []
    /// One line each (`StoredSecret`).
    package var secrets: [String] = []
    /// `--rmi`: the image goes with the container.
    package var removesImage = false
    /// `--rootfs`: a directory of the host is the root, without an image.
    package var rootDirectory = ""

    package init() {}

    func write(to record: inout FlatRecord) {
        health.write(to: &record)
        record.add("lifetime", ifPresent: lifetime.map(String.init))
        record.add("requires", all: requires)
        record.add("secret", all: secrets)
        if removesImage { record.add("remove-image", "1") }
        if !rootDirectory.isEmpty { record.add("root-directory", rootDirectory) }
    }

    mutating func read(_ key: String, _ value: String) {
        switch key {
        case "lifetime": lifetime = Int64(value)
        case "requires": requires.append(value)
        case "secret": secrets.append(value)
        case "remove-image": removesImage = true
        case "root-directory": rootDirectory = value
        default: health.read(key, value)
        }
    }
}

/// A health check as it was asked for, the image's with the flags over it; docker's fields. Times are nanoseconds.
package struct HealthSettings: Sendable, Equatable {
    /// Empty: none is known. `NONE`; `CMD`, arguments…; `CMD-SHELL`, line.
    package var test: [String] = []
    /// What runs a CMD-SHELL line; the image's SHELL.
    package var shell: [String] = []
    package var interval: Int64?
    package var timeout: Int64?
    package var startPeriod: Int64?
    package var startInterval: Int64?
    package var retries: Int64?
    /// `kill`, `restart`, `stop`; empty: nothing.
    package var onFailure = ""

    package init() {}

    /// The arguments of the command; nil where there is no check.
    package var command: [String]? {
        switch test.first {
        case "CMD" where test.count > 1: Array(test.dropFirst())
        case "CMD-SHELL" where test.count > 1:
            (shell.isEmpty ? ["/bin/sh", "-c"] : shell) + [test.dropFirst().joined(separator: " ")]
        default: nil
        }
    }

    package var isActive: Bool { command != nil }

    func write(to record: inout FlatRecord) {
        record.add("health-test", all: test)
        record.add("health-shell", all: shell)
        record.add("health-interval", ifPresent: interval.map(String.init))
        record.add("health-timeout", ifPresent: timeout.map(String.init))
        record.add("health-start-period", ifPresent: startPeriod.map(String.init))
        record.add("health-start-interval", ifPresent: startInterval.map(String.init))
        record.add("health-retries", ifPresent: retries.map(String.init))
        if !onFailure.isEmpty { record.add("health-on-failure", onFailure) }
    }

    mutating func read(_ key: String, _ value: String) {
        switch key {
        case "health-test": test.append(value)
        case "health-shell": shell.append(value)
        case "health-interval": interval = Int64(value)
        case "health-timeout": timeout = Int64(value)
        case "health-start-period": startPeriod = Int64(value)
        case "health-start-interval": startInterval = Int64(value)
        case "health-retries": retries = Int64(value)
        case "health-on-failure": onFailure = value
        default: break
        }
    }
}
