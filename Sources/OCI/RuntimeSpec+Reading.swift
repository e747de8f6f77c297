package import Failure

// From a document's fields to values, field by field, for the whole of the specification; nothing is decoded by the types
// themselves, see JSONValue.

extension RuntimeSpec {
    /// Reads and checks.
    /// - Throws: `invalidArgument` with the path of the field at fault: `config.json: process.cwd: missing`;
    ///   `unsupported` for another major version.
    package init(bytes: [UInt8]) throws(Failure) {
        let fields = try JSONFields(bytes, as: "config.json")
        self.init()
        ociVersion = try fields.needed("ociVersion", fields.text)
        process = try fields.object("process", Process.init(reading:))
        root = try fields.object("root", Root.init(reading:))
        hostname = try fields.text("hostname")
        domainname = try fields.text("domainname")
        mounts = try fields.list("mounts", Mount.init(reading:))
        hooks = try fields.object("hooks", Hooks.init(reading:))
        annotations = try fields.textsByKey("annotations")
        linux = try fields.object("linux", Linux.init(reading:))
        try check()
    }
}

extension RuntimeSpec.Root {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(path: try fields.needed("path", fields.text), readonly: try fields.flag("readonly"))
    }
}

extension RuntimeSpec.Mount {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(
            destination: try fields.needed("destination", fields.text), type: try fields.text("type"),
            source: try fields.text("source"), options: try fields.texts("options"),
            uidMappings: try fields.list("uidMappings", RuntimeSpec.IDMapping.init(reading:)),
            gidMappings: try fields.list("gidMappings", RuntimeSpec.IDMapping.init(reading:)))
    }
}

extension RuntimeSpec.IDMapping {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(
            containerID: try fields.needed("containerID", fields.number),
            hostID: try fields.needed("hostID", fields.number), size: try fields.needed("size", fields.number)
        )
    }
}

extension RuntimeSpec.Hooks {
    init(reading fields: JSONFields) throws(Failure) {
        self.init()
        prestart = try fields.list("prestart", RuntimeSpec.Hook.init(reading:))
        createRuntime = try fields.list("createRuntime", RuntimeSpec.Hook.init(reading:))
        createContainer = try fields.list("createContainer", RuntimeSpec.Hook.init(reading:))
        startContainer = try fields.list("startContainer", RuntimeSpec.Hook.init(reading:))
        poststart = try fields.list("poststart", RuntimeSpec.Hook.init(reading:))
        poststop = try fields.list("poststop", RuntimeSpec.Hook.init(reading:))
    }
}

extension RuntimeSpec.Hook {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(
            path: try fields.needed("path", fields.text), args: try fields.texts("args"),
            env: try fields.texts("env"), timeout: try fields.number("timeout"))
    }
}

extension RuntimeSpec.Process {
    /// Of `exec --process` too. Reads and checks.
    package init(bytes: [UInt8], as what: String) throws(Failure) {
        try self.init(reading: try JSONFields(bytes, as: what))
        try check("process")
    }

    init(reading fields: JSONFields) throws(Failure) {
        self.init(
            args: try fields.texts("args"), env: try fields.texts("env"),
            cwd: try fields.needed("cwd", fields.text),
            user: try fields.object("user", RuntimeSpec.User.init(reading:)),
            terminal: try fields.flag("terminal"))
        // "Runtimes MUST ignore consoleSize if terminal is false or unset": whatever is in it.
        if terminal == true {
            consoleSize = try fields.object("consoleSize", RuntimeSpec.ConsoleSize.init(reading:))
        }
        capabilities = try fields.object("capabilities", RuntimeSpec.Capabilities.init(reading:))
        rlimits = try fields.list("rlimits", RuntimeSpec.Rlimit.init(reading:))
        noNewPrivileges = try fields.flag("noNewPrivileges")
        apparmorProfile = try fields.text("apparmorProfile")
        selinuxLabel = try fields.text("selinuxLabel")
        oomScoreAdj = try fields.number("oomScoreAdj")
        scheduler = try fields.object("scheduler", RuntimeSpec.Scheduler.init(reading:))
        ioPriority = try fields.object("ioPriority", RuntimeSpec.IOPriority.init(reading:))
        execCPUAffinity = try fields.object("execCPUAffinity", RuntimeSpec.ExecCPUAffinity.init(reading:))
    }
}

extension RuntimeSpec.ConsoleSize {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(
            height: try fields.needed("height", fields.number),
            width: try fields.needed("width", fields.number))
    }
}

extension RuntimeSpec.User {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(umask: try fields.number("umask"), additionalGids: try fields.numbers("additionalGids"))
        uid = try fields.number("uid")
        gid = try fields.number("gid")
    }
}

extension RuntimeSpec.Capabilities {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(
            bounding: try fields.texts("bounding"), effective: try fields.texts("effective"),
            permitted: try fields.texts("permitted"), inheritable: try fields.texts("inheritable"),
            ambient: try fields.texts("ambient"))
    }
}

extension RuntimeSpec.Rlimit {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(
            type: try fields.needed("type", fields.text), soft: try fields.needed("soft", fields.number),
            hard: try fields.needed("hard", fields.number))
    }
}

extension RuntimeSpec.Scheduler {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(policy: try fields.needed("policy", fields.word))
        nice = try fields.number("nice")
        priority = try fields.number("priority")
        flags = try fields.words("flags")
        runtime = try fields.number("runtime")
        deadline = try fields.number("deadline")
        period = try fields.number("period")
    }
}

extension RuntimeSpec.IOPriority {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(try fields.needed("class", fields.word), priority: try fields.number("priority"))
    }
}

extension RuntimeSpec.ExecCPUAffinity {
    init(reading fields: JSONFields) throws(Failure) {
        self.init(initial: try fields.text("initial"), final: try fields.text("final"))
    }
}
