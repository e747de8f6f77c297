package import Failure

extension MountRequest {
    /// `--mount type=volume,source=NAME,target=/path,...`: comma-separated keys and values, a field with a comma in quotes.
    ///
    /// The source of a bind must exist unless `bind-create-src` says otherwise. What belongs to another type of mount, and
    /// what ctr does not do (drivers other than local, `type=image`), is refused.
    package init(mount text: String, workingDirectory: String) throws(Failure) {
        guard !text.isEmpty else { throw Failure(.invalidArgument, "it is empty") }
        var fields = MountFields()
        for field in try CommaSeparatedFields.parse(text) { try fields.read(field) }
        self = try fields.request(workingDirectory: workingDirectory)
    }
}

/// The fields of one `--mount` while they are read.
private struct MountFields {
    private var type = "volume"
    private var source: String?
    private var target: String?
    private var isReadOnly = false
    private var propagation: String?
    private var recursion: MountRequest.Recursion?
    private var createsSource = false
    private var isNeverFilled = false
    private var changesOwner = false
    private var idMapping: String?
    private var subpath: String?
    private var labels: [MountRequest.KeyAndValue] = []
    private var driverOptions: [MountRequest.KeyAndValue] = []
    private var tmpfsSize: Int64?
    private var tmpfsMode: String?
    /// Keys that belong to one type of mount, as they were given.
    private var typed: [(type: String, key: String)] = []

    mutating func read(_ field: String) throws(Failure) {
        let equals = field.utf8.firstIndex(of: UInt8(ascii: "="))
        let key = (equals.map { String(field[..<$0]) } ?? field).lowercased()
        let value = equals.map { String(field[field.utf8.index(after: $0)...]) }
        for prefix in ["bind", "volume", "tmpfs", "image"] where key.hasPrefix("\(prefix)-") {
            typed.append((prefix, key))
        }
        switch key {
        case "type": type = try text(value, key).lowercased()
        case "source", "src": source = try text(value, key)
        case "target", "dst", "destination": target = try text(value, key)
        case "readonly", "ro": isReadOnly = try toggle(value, key)
        case "consistency":
            _ = try word(value, key, of: ["default", "consistent", "cached", "delegated"])
        case "bind-propagation": propagation = try word(value, key, of: MountRequest.propagations)
        case "bind-recursive":
            switch try word(value, key, of: ["enabled", "disabled", "writable", "readonly"]) {
            case "disabled": recursion = .disabled
            case "writable": recursion = .writable
            case "readonly": recursion = .readOnly
            default: recursion = .enabled
            }
        case "bind-nonrecursive": if try toggle(value, key) { recursion = .disabled }
        case "bind-create-src": createsSource = try toggle(value, key)
        case "u", "chown": changesOwner = try toggle(value, key)
        case "idmap": idMapping = value ?? ""
        case "volume-nocopy": isNeverFilled = try toggle(value, key)
        case "volume-subpath": subpath = try MountPath.subpath(try text(value, key))
        case "volume-label": labels.append(try pair(value, key, needsValue: false))
        case "volume-opt": driverOptions.append(try pair(value, key, needsValue: true))
        case "volume-driver": try VolumeSpecification.check(driver: try text(value, key))
        case "tmpfs-size": tmpfsSize = try size(value, key)
        case "tmpfs-mode":
            let mode = try text(value, key)
            guard MountRequest.isOctalMode(mode[...]) else {
                throw Failure(.invalidArgument, "\(key) is an octal mode such as 1777, not \"\(mode)\"")
            }
            tmpfsMode = mode
        case "image-subpath":
            throw Failure(.unsupported, "\(key): images cannot be mounted")
        default:
            throw Failure(.invalidArgument, "unknown key \"\(key)\"")
        }
    }

    func request(workingDirectory: String) throws(Failure) -> MountRequest {
        if let other = typed.first(where: { $0.type != type }), ["bind", "volume", "tmpfs"].contains(type) {
            throw Failure(.invalidArgument, "\(other.key) does not go with type=\(type)")
        }
        guard let target else { throw Failure(.invalidArgument, "target is missing") }
        var request = MountRequest(source: .tmpfs, target: try MountPath.target(target))
        request.isReadOnly = isReadOnly
        switch type {
        case "bind":
            guard let source else {
                throw Failure(.invalidArgument, "source is missing, which type=bind needs")
            }
            let path = try MountPath.host(source, workingDirectory: workingDirectory)
            request.source = .bind(path: path, createsSource: createsSource)
            request.propagation = propagation
            request.recursion = recursion ?? .enabled
            if recursion == .writable || recursion == .readOnly, !isReadOnly {
                throw Failure(.invalidArgument, "bind-recursive=writable and =readonly go with readonly")
            }
            if recursion == .readOnly, let propagation, propagation != "rprivate" {
                throw Failure(.invalidArgument, "bind-recursive=readonly goes with bind-propagation=rprivate")
            }
        case "volume":
            if let source { try VolumeName.check(source) }
            request.source = .volume(name: source)
            request.isNeverFilled = isNeverFilled
            request.subpath = subpath ?? ""
            request.labels = labels
            request.driverOptions = driverOptions
            _ = try VolumeSpecification.backing(driverOptions)
        case "tmpfs":
            guard source == nil else { throw Failure(.invalidArgument, "type=tmpfs has no source") }
            var given: [String] = []
            if let tmpfsSize { given.append("size=\(tmpfsSize)") }
            if let tmpfsMode { given.append("mode=\(tmpfsMode)") }
            request.options = MountRequest.tmpfsOptions(given)
        case "image", "npipe", "cluster":
            throw Failure(
                .unsupported, "type=\(type) is not supported", hint: "Types are volume, bind and tmpfs.")
        default:
            throw Failure(
                .invalidArgument, "unknown type \"\(type)\"", hint: "Types are volume, bind and tmpfs.")
        }
        request.changesOwner = changesOwner
        request.idMapping = idMapping
        if changesOwner || idMapping != nil { try request.checkOwners() }
        return request
    }

    private func text(_ value: String?, _ key: String) throws(Failure) -> String {
        guard let value, !value.isEmpty else { throw Failure(.invalidArgument, "\(key) has no value") }
        return value
    }

    private func word(_ value: String?, _ key: String, of words: [String]) throws(Failure) -> String {
        let value = try text(value, key)
        guard words.contains(value) else {
            throw Failure(
                .invalidArgument, "\(key) must be one of \(words.joined(separator: ", ")), not \"\(value)\"")
        }
        return value
    }

    /// The key alone is yes.
    private func toggle(_ value: String?, _ key: String) throws(Failure) -> Bool {
        switch value {
        case nil, "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw Failure(.invalidArgument, "\(key) is neither true nor false: \"\(value ?? "")\"")
        }
    }

    private func pair(_ value: String?, _ key: String, needsValue: Bool) throws(Failure)
        -> MountRequest.KeyAndValue
    {
        let value = try text(value, key)
        let equals = value.utf8.firstIndex(of: UInt8(ascii: "="))
        guard equals != value.utf8.startIndex, !needsValue || equals != nil else {
            throw Failure(.invalidArgument, "\(key) is of the form \(key)=KEY=VALUE")
        }
        guard let equals else { return .init(value, "") }
        return .init(String(value[..<equals]), String(value[value.utf8.index(after: equals)...]))
    }

    /// Bytes; powers of 1024 with k, m, g or t, and a b or ib after it or not.
    private func size(_ value: String?, _ key: String) throws(Failure) -> Int64 {
        let value = try text(value, key)
        let digits = value.utf8.prefix { (0x30...0x39).contains($0) }
        let shift: Int64?
        switch value[digits.endIndex...].lowercased() {
        case "", "b": shift = 0
        case "k", "kb", "kib": shift = 10
        case "m", "mb", "mib": shift = 20
        case "g", "gb", "gib": shift = 30
        case "t", "tb", "tib": shift = 40
        default: shift = nil
        }
        guard let shift, let number = Int64(Substring(digits)) else {
            throw Failure(.invalidArgument, "\(key) is a size such as 64m, not \"\(value)\"")
        }
        let (bytes, over) = number.multipliedReportingOverflow(by: 1 << shift)
        guard !over else { throw Failure(.invalidArgument, "\(key) is too large: \"\(value)\"") }
        return bytes
    }
}
