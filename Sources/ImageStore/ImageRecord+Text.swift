package import Failure
internal import LinuxSystem
internal import OCI

/// The record's file: lines `key value`, in UTF-8. The first says the version, the last, `end`, that nothing is
/// missing. A value's backslash, line feed and tab are written `\\`, `\n` and `\t`; a tab parts the fields of one
/// value. Lists are lines with the same key. A reader keeps the lines whose keys it does not know.
extension ImageRecord {
    static let firstLine = "ctr-image 1"

    /// More than any real image needs; a larger file is not a record.
    static let limit = 8 << 20

    package func encoded() -> [UInt8] {
        var out = RecordLines()
        if let reference { out.add("reference", reference.canonical) }
        out.add("target", target)
        out.add("manifest", manifest)
        out.add("config", config)
        for layer in layers {
            out.add(
                "layer",
                [
                    layer.descriptor.mediaType, "\(layer.descriptor.digest)", "\(layer.descriptor.size)",
                    "\(layer.diffID)", layer.directory ?? "",
                ])
        }
        out.add("platform", [platform.os, platform.architecture, platform.variant ?? ""])
        if let created { out.add("created", created) }
        out.add("recorded", "\(recorded.nanosecondsSinceEpoch)")
        out.add("size", "\(size)")
        for digest in repoDigests { out.add("repo-digest", digest) }
        encodeSettings(into: &out)
        for line in unknown { out.addRaw(line) }
        return out.finish()
    }

    private func encodeSettings(into out: inout RecordLines) {
        for value in settings.env ?? [] { out.add("env", value) }
        for value in settings.entrypoint ?? [] { out.add("entrypoint", value) }
        for value in settings.cmd ?? [] { out.add("cmd", value) }
        if let value = settings.user { out.add("user", value) }
        if let value = settings.workingDir { out.add("working-dir", value) }
        if let value = settings.stopSignal { out.add("stop-signal", value) }
        if let value = settings.stopTimeout { out.add("stop-timeout", "\(value)") }
        for value in settings.volumes ?? [] { out.add("volume", value) }
        for value in settings.exposedPorts ?? [] { out.add("exposed-port", value) }
        for (key, value) in (settings.labels ?? [:]).sorted(by: { $0.key < $1.key }) {
            out.add("label", [key, value])
        }
        if let check = settings.healthcheck {
            out.add("healthcheck", "")
            for value in check.test ?? [] { out.add("health-test", value) }
            if let value = check.interval { out.add("health-interval", "\(value)") }
            if let value = check.timeout { out.add("health-timeout", "\(value)") }
            if let value = check.startPeriod { out.add("health-start-period", "\(value)") }
            if let value = check.startInterval { out.add("health-start-interval", "\(value)") }
            if let value = check.retries { out.add("health-retries", "\(value)") }
        }
        for value in settings.onBuild ?? [] { out.add("on-build", value) }
        for value in settings.shell ?? [] { out.add("shell", value) }
        if let value = settings.argsEscaped { out.add("args-escaped", value ? "true" : "false") }
    }

    /// - Throws: `dataLoss` where the file is cut or its lines make no sense; `unsupported` for a later version.
    package init(decoding bytes: [UInt8]) throws(Failure) {
        var builder = Builder()
        do throws(Failure) {
            try RecordLines.read(bytes) { (key, fields, line) throws(Failure) in
                try builder.take(key, fields, line)
            }
            self = try builder.finish()
        } catch {
            // A digest or a name that does not parse is damage here, not somebody's input.
            throw error.code == .invalidArgument ? RecordLines.damaged(error.message) : error
        }
    }
}

extension ImageRecord {
    private struct Builder {
        var reference: Reference?
        var target, manifest, config: Descriptor?
        var layers: [Layer] = []
        var platform: Platform?
        var created: String?
        var recorded: Int64 = 0
        var size: Int64 = 0
        var repoDigests: [String] = []
        var settings = ImageConfig.Settings()
        var unknown: [String] = []

        mutating func take(_ key: String, _ fields: [String], _ line: ArraySlice<UInt8>) throws(Failure) {
            let value = fields[0]
            switch key {
            case "reference": reference = try Reference.parse(value)
            case "target": target = try descriptor(fields)
            case "manifest": manifest = try descriptor(fields)
            case "config": config = try descriptor(fields)
            case "layer":
                guard fields.count == 5 else { throw RecordLines.damaged("a layer without its five fields") }
                layers.append(
                    Layer(
                        descriptor: try descriptor(fields), diffID: try Digest(fields[3]),
                        directory: try directory(fields[4])))
            case "platform":
                guard fields.count == 3 else {
                    throw RecordLines.damaged("a platform without its three fields")
                }
                platform = Platform(
                    os: value, architecture: fields[1], variant: fields[2].isEmpty ? nil : fields[2])
            case "created": created = value
            case "recorded": recorded = try number(value)
            case "size": size = try number(value)
            case "repo-digest": repoDigests.append(value)
            default:
                if try !takeSetting(key, fields) { unknown.append(try RecordLines.text(line)) }
            }
        }

        private mutating func takeSetting(_ key: String, _ fields: [String]) throws(Failure) -> Bool {
            let value = fields[0]
            switch key {
            case "env": settings.env = (settings.env ?? []) + [value]
            case "entrypoint": settings.entrypoint = (settings.entrypoint ?? []) + [value]
            case "cmd": settings.cmd = (settings.cmd ?? []) + [value]
            case "user": settings.user = value
            case "working-dir": settings.workingDir = value
            case "stop-signal": settings.stopSignal = value
            case "stop-timeout": settings.stopTimeout = Int(try number(value))
            case "volume": settings.volumes = (settings.volumes ?? []) + [value]
            case "exposed-port": settings.exposedPorts = (settings.exposedPorts ?? []) + [value]
            case "label":
                guard fields.count == 2 else { throw RecordLines.damaged("a label without its two fields") }
                settings.labels = settings.labels ?? [:]
                settings.labels?[value] = fields[1]
            case "on-build": settings.onBuild = (settings.onBuild ?? []) + [value]
            case "shell": settings.shell = (settings.shell ?? []) + [value]
            case "args-escaped": settings.argsEscaped = value == "true"
            default: return try takeHealth(key, value)
            }
            return true
        }

        private mutating func takeHealth(_ key: String, _ value: String) throws(Failure) -> Bool {
            var check = settings.healthcheck ?? ImageConfig.Healthcheck()
            switch key {
            case "healthcheck": break
            case "health-test": check.test = (check.test ?? []) + [value]
            case "health-interval": check.interval = try number(value)
            case "health-timeout": check.timeout = try number(value)
            case "health-start-period": check.startPeriod = try number(value)
            case "health-start-interval": check.startInterval = try number(value)
            case "health-retries": check.retries = Int(try number(value))
            default: return false
            }
            settings.healthcheck = check
            return true
        }

        private func number(_ text: String) throws(Failure) -> Int64 {
            guard let value = Int64(text) else {
                throw RecordLines.damaged("\(text.quotedForMessage) for a number")
            }
            return value
        }

        private func descriptor(_ fields: [String]) throws(Failure) -> Descriptor {
            guard fields.count >= 3 else {
                throw RecordLines.damaged("a descriptor without its three fields")
            }
            return Descriptor(
                mediaType: fields[0], digest: try Digest(fields[1]), size: try number(fields[2]))
        }

        /// It is joined to a path: one component, nothing else.
        private func directory(_ name: String) throws(Failure) -> String? {
            if name.isEmpty { return nil }
            guard !name.contains("/"), !name.hasPrefix("."), name.utf8.count <= 255, !name.utf8.contains(0)
            else {
                throw RecordLines.damaged("\(name.quotedForMessage) for a layer's directory")
            }
            return name
        }

        func finish() throws(Failure) -> ImageRecord {
            guard let target, let manifest, let config, let platform else {
                throw RecordLines.damaged("no target, manifest, config or platform")
            }
            var record = ImageRecord(
                reference: reference, target: target, manifest: manifest, config: config, layers: layers,
                platform: platform, created: created, recorded: Timestamp(nanosecondsSinceEpoch: recorded),
                size: size, repoDigests: repoDigests, settings: settings)
            record.unknown = unknown
            return record
        }
    }
}
