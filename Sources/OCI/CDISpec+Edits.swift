internal import Failure

extension CDISpec.Edits {
    init(_ fields: JSONFields, _ version: CDIVersion) throws(Failure) {
        try fields.refuseOthers(
            than: [
                "env", "deviceNodes", "mounts", "hooks", "additionalGids", "additionalGIDs", "intelRdt",
                "netDevices",
            ])
        for key in ["additionalGids", "additionalGIDs", "intelRdt"] {
            try version.check(fields, has: key, since: 7)
        }
        try version.check(fields, has: "netDevices", since: 11)
        environment = try fields.texts("env") ?? []
        for setting in environment where setting.firstIndex(of: "=").map({ $0 > setting.startIndex }) != true
        {
            throw fields.fault("env", "\(setting.quotedForMessage) is not of the form NAME=VALUE")
        }
        deviceNodes =
            try fields.list("deviceNodes") { (fields) throws(Failure) in
                try version.check(fields, has: "hostPath", since: 5)
                return try CDISpec.DeviceNode(fields)
            } ?? []
        mounts =
            try fields.list("mounts") { (fields) throws(Failure) in
                try version.check(fields, has: "type", since: 4)
                return try CDISpec.Mount(fields)
            } ?? []
        hooks = try fields.list("hooks") { (fields) throws(Failure) in try CDISpec.Hook(fields) } ?? []
        let others: [UInt32]? = try fields.numbers("additionalGIDs")
        additionalGIDs = try fields.numbers("additionalGids") ?? others ?? []
        // enableCMT and enableMBM of older versions ask for what is monitored by itself.
        intelRdt = try fields.object("intelRdt") { (fields) throws(Failure) in
            try fields.refuseOthers(
                than: [
                    "closID", "l3CacheSchema", "memBwSchema", "schemata", "enableMonitoring", "enableCMT",
                    "enableMBM",
                ])
            for key in ["schemata", "enableMonitoring"] { try version.check(fields, has: key, since: 11) }
            return try RuntimeSpec.IntelRdt(reading: fields)
        }
        netDevices =
            try fields.list("netDevices") { (fields) throws(Failure) in
                try fields.refuseOthers(than: ["hostInterfaceName", "name"])
                return CDISpec.NetDevice(
                    hostName: try fields.needed("hostInterfaceName", fields.text),
                    name: try fields.needed("name", fields.text))
            } ?? []
    }
}

extension CDISpec.DeviceNode {
    fileprivate init(_ fields: JSONFields) throws(Failure) {
        try fields.refuseOthers(
            than: ["path", "hostPath", "type", "major", "minor", "fileMode", "permissions", "uid", "gid"])
        path = try fields.absolute("path")
        hostPath = fields.has("hostPath") ? try fields.absolute("hostPath") : nil
        type = try fields.word("type")
        major = try fields.number("major")
        minor = try fields.number("minor")
        fileMode = try fields.number("fileMode")
        uid = try fields.number("uid")
        gid = try fields.number("gid")
        switch try fields.text("permissions") {
        case nil, "": permissions = "rwm"
        case "none": permissions = ""
        case let words?:
            guard words.allSatisfy({ "rwm".contains($0) }) else {
                throw fields.fault("permissions", "\(words.quotedForMessage) is not made of r, w and m")
            }
            permissions = words
        }
    }
}

extension CDISpec.Mount {
    fileprivate init(_ fields: JSONFields) throws(Failure) {
        try fields.refuseOthers(than: ["hostPath", "containerPath", "type", "options"])
        hostPath = try fields.needed("hostPath", fields.text)
        containerPath = try fields.absolute("containerPath")
        type = try fields.text("type")
        options = try fields.texts("options") ?? []
    }
}

extension CDISpec.Hook {
    fileprivate init(_ fields: JSONFields) throws(Failure) {
        try fields.refuseOthers(than: ["hookName", "path", "args", "env", "timeout"])
        name = try fields.needed("hookName", fields.word)
        hook = RuntimeSpec.Hook(
            path: try fields.absolute("path"), args: try fields.texts("args"), env: try fields.texts("env"),
            timeout: try fields.number("timeout"))
        if let timeout = hook.timeout, timeout <= 0 {
            throw fields.fault("timeout", "\(timeout) is not above 0")
        }
    }
}

extension JSONFields {
    fileprivate func absolute(_ key: String) throws(Failure) -> String {
        let path = try needed(key, text)
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw fault(key, "\(path.quotedForMessage) is not an absolute path")
        }
        return path
    }
}
