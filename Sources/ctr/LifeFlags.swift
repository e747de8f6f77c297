import CommandTable
import Engine
import Failure
import LinuxSystem

/// The flags of `run` and `create` about health, secrets, and podman's about the start.
enum LifeFlags {
    static func apply(_ command: ParsedCommand, _ request: inout CreateRequest) throws(Failure) {
        try health(command, &request.settings.life.health)
        request.settings.life.lifetime = command.integer(.timeout).flatMap { $0 > 0 ? $0 : nil }
        if command.verb == .run, command.flag(.rmi) {
            request.settings.life.removesImage = true
            request.settings.autoRemove = true
        }
        for text in command.values(.secret) {
            request.settings.life.secrets.append(try StoredSecret(flag: text).line)
        }
        if let option = command.values(.storageOpt).first {
            throw Failure(
                .unsupported, "--storage-opt \(option): an overlay's layers have no size of their own",
                hint: "keep what grows in a volume or a tmpfs of a given size")
        }
        request.requires = command.values(.requires)
        request.replaces = command.flag(.replace)
        request.unsetEnvironment = command.values(.unsetenv)
        request.unsetsImageEnvironment = command.flag(.unsetenvAll)
        if command.flag(.envHost) { request.hostEnvironment = Process.environment }
        request.imageVolumes =
            command.value(.imageVolume).flatMap(CreateRequest.ImageVolumes.init(rawValue:)) ?? .anonymous
        if command.flag(.rootfs) {
            request.settings.life.rootDirectory = request.image
            if command.value(.platform) != nil || command.flag(.rmi) {
                throw Failure(
                    .invalidArgument, "--rootfs has no image: --platform and --rmi mean nothing with it")
            }
        }
        try files(command, &request)
    }

    private static func files(_ command: ParsedCommand, _ request: inout CreateRequest) throws(Failure) {
        if command.flag(.readOnlyTmpfs), command.flag(.readOnly) {
            let taken = command.values(.tmpfs).map { String($0.prefix { $0 != ":" }) }
            for (path, mode) in [("/run", "755"), ("/tmp", "1777"), ("/var/tmp", "1777")]
            where !taken.contains(path) {
                request.temporary.append("\(path):rw,nosuid,nodev,mode=\(mode)")
            }
        }
        guard let zone = command.value(.tz) else { return }
        let path = zone == "local" ? "/etc/localtime" : "/usr/share/zoneinfo/\(zone)"
        let isThere = (try? FileDescriptor.exists(path)) ?? false
        guard isThere, !zone.split(separator: "/").contains("..") else {
            throw Failure(
                .notFound, "--tz \(zone): this host has no \(path)",
                hint: "the package tzdata brings the names of time zones")
        }
        request.mounts.append("type=bind,source=\(path),target=/etc/localtime,readonly")
    }

    private static func health(_ command: ParsedCommand, _ health: inout HealthSettings) throws(Failure) {
        func time(_ flag: FlagName) throws(Failure) -> Int64? {
            try command.parsed(flag) { (text) throws(Failure) in try TimeSpan.nanoseconds(text) }
        }
        if let line = command.value(.healthCmd), !line.isEmpty { health.test = ["CMD-SHELL", line] }
        health.interval = try time(.healthInterval)
        health.timeout = try time(.healthTimeout)
        health.startPeriod = try time(.healthStartPeriod)
        health.startInterval = try time(.healthStartInterval)
        health.retries = command.integer(.healthRetries)
        let onFailure = command.value(.healthOnFailure) ?? "none"
        health.onFailure = onFailure == "none" ? "" : onFailure
        guard command.flag(.noHealthcheck) else { return }
        guard health == HealthSettings() else {
            throw Failure(.invalidArgument, "--no-healthcheck conflicts with --health-* options")
        }
        health.test = ["NONE"]
    }
}
