internal import CommandTable
internal import ContainerMonitor
internal import Failure
internal import LaunchPlan
internal import LinuxSystem

/// What `--log-driver` and `--log-opt` ask for.
struct LogOptions {
    /// Of each container unless it says otherwise: a log takes 50 MB at most.
    static let defaultSize: UInt64 = 10 << 20
    static let defaultFiles: UInt32 = 5

    var maximumSize = defaultSize
    var maximumFiles = defaultFiles
    /// Go templates, as docker's; nil: the driver's own.
    var tag: String?
    /// Names of labels and of variables whose values go into each entry.
    var labels: [String] = []
    var environment: [String] = []

    init(driver: String, _ options: [String]) throws(Failure) {
        let known: [String]
        switch driver {
        case "json-file": known = ["max-size", "max-file", "compress", "mode", "tag", "labels", "env"]
        case "k8s-file": known = ["max-size", "max-file", "mode"]
        case "journald": known = ["mode", "tag", "labels", "env"]
        default: known = []
        }
        for option in options {
            let pair = try KeyValue.pair(option)
            guard known.contains(pair.key) else {
                throw Failure(
                    .invalidArgument, "unknown log opt '\(pair.key)' for \(driver) log driver",
                    hint: known.isEmpty
                        ? "it has no options" : "there are \(known.joined(separator: ", "))")
            }
            try take(pair.key, pair.value)
        }
    }

    private mutating func take(_ key: String, _ value: String) throws(Failure) {
        func refuse(_ why: String) -> Failure {
            Failure(.invalidArgument, "--log-opt \(key)=\(value): \(why)")
        }
        switch key {
        case "max-size":
            do throws(Failure) {
                maximumSize = UInt64(max(0, try ByteSize.parse(value, allowingUnlimited: true)))
            } catch { throw error.within("--log-opt max-size=\(value)") }
        case "max-file":
            guard let count = UInt32(value), count > 0 else { throw refuse("not a positive number") }
            maximumFiles = count
        case "compress":
            guard value == "false" else { throw refuse("log files are not compressed") }
        case "mode":
            guard value == "blocking" else {
                throw refuse("output is written as it comes, and dropped where it cannot be")
            }
        case "tag": tag = value
        case "labels": labels = value.split(separator: ",").map(String.init)
        case "env": environment = value.split(separator: ",").map(String.init)
        default: break
        }
    }

    /// The chosen labels and variables, key, value, key, value.
    func attributes(of record: ContainerRecord) -> [String] {
        func chosen(_ names: [String], _ settings: [String]) -> [String] {
            settings.flatMap { setting -> [String] in
                let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard names.contains(String(parts[0])) else { return [] }
                return [String(parts[0]), parts.count > 1 ? String(parts[1]) : ""]
            }
        }
        return chosen(labels, record.settings.labels) + chosen(environment, record.settings.environment)
    }

    func tag(of record: ContainerRecord, else fallback: String) throws(Failure) -> String {
        guard let tag else { return fallback }
        do throws(Failure) {
            return try Template(tag, escapes: false).text(
                of: .object([
                    .init("ID", .string(record.shortID)), .init("FullID", .string(record.id)),
                    .init("Name", .string(record.name)), .init("ImageName", .string(record.image)),
                    .init("ImageFullID", .string(record.imageID)),
                    .init(
                        "ImageID",
                        .string(String(record.imageID.split(separator: ":").last?.prefix(12) ?? ""))),
                    .init("DaemonName", "ctr"),
                ]))
        } catch {
            throw error.within("--log-opt tag=\(tag)")
        }
    }
}

extension Engine {
    /// What can be refused before the container is made.
    func checkLog(_ settings: ContainerSettings) throws(Failure) {
        _ = try LogOptions(driver: settings.logDriver, settings.logOptions)
        if settings.logDriver == "journald" { try Engine.checkJournal() }
    }

    private static func checkJournal() throws(Failure) {
        guard (try? FileDescriptor.exists(JournalLog.socketPath)) ?? false else {
            throw Failure(
                .unsupported, "--log-driver journald: this host has no \(JournalLog.socketPath)",
                hint: "systemd-journald is not running here; json-file is the default")
        }
    }

    func logDriver(_ record: ContainerRecord) throws(Failure) -> MonitorPlan.LogDriver {
        let settings = record.settings
        let options = try LogOptions(driver: settings.logDriver, settings.logOptions)
        switch settings.logDriver {
        case "none": return .none
        case "k8s-file":
            return .kubernetes(maximumSize: options.maximumSize, maximumFiles: options.maximumFiles)
        case "journald":
            try Engine.checkJournal()
            let tag = try options.tag(of: record, else: record.shortID)
            var fields = [
                "CONTAINER_ID", record.shortID, "CONTAINER_ID_FULL", record.id, "CONTAINER_NAME",
                record.name, "CONTAINER_TAG", tag, "SYSLOG_IDENTIFIER", tag, "IMAGE_NAME", record.image,
            ]
            let attributes = options.attributes(of: record)
            for index in stride(from: 0, to: attributes.count - 1, by: 2) {
                fields += [Engine.journalKey(attributes[index]), attributes[index + 1]]
            }
            return .journal(fields: fields)
        default:
            var attributes = options.attributes(of: record)
            if options.tag != nil { attributes += ["tag", try options.tag(of: record, else: "")] }
            return .json(
                maximumSize: options.maximumSize, maximumFiles: options.maximumFiles,
                attributes: attributes)
        }
    }

    /// The journal takes capital letters, digits and underscores, and no underscore first.
    private static func journalKey(_ name: String) -> String {
        let key = String(
            name.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
        return String(key.drop { $0 == "_" || $0.isNumber })
    }
}
