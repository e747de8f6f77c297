extension LaunchPlan {
    /// The plan as text, a line a step, for tests and `--debug`. Environment values are left out.
    package var printed: String {
        var lines = ["namespaces \(Step.names(ofNamespaces: namespaces)) (0x\(hex(namespaces)))"]
        if let joinPIDNamespace { lines.append("join the pid namespace of slot \(joinPIDNamespace)") }
        lines += parent.map { "parent: \($0)" }
        lines += preparation.map { "before: \($0.printed)" }
        lines += slots.enumerated().map { "slot \($0.offset) = \($0.element.printed)" }
        lines += cgroup.map { "cgroup: \($0)" }
        lines += steps.enumerated().map { "\($0.offset) \($0.element.printed)" }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Step {
    /// Code, numbers in hexadecimal from 10 on, strings; for golden texts.
    package var printed: String {
        let flat = encoded
        var words = ["\(flat.code)"]
        words += flat.arguments.map { $0 < 10 ? "\($0)" : "0x\(hex($0))" }
        if case .execute(let arguments, let environment) = self {
            words += arguments.map(quoted)
            words += environment.map { quoted(String($0.prefix { $0 != "=" }) + "=…") }
        } else {
            words += flat.strings.map(quoted)
        }
        return words.joined(separator: " ")
    }
}

extension SlotSource {
    var printed: String {
        switch self {
        case .root: "the root"
        case .bind(let path, let recursive, let own, let below, let ids):
            "bind \(quoted(path))\(recursive ? " recursive" : "") +0x\(hex(own.set)) -0x\(hex(own.clear))"
                + (below.isEmpty ? "" : " below too +0x\(hex(below.set)) -0x\(hex(below.clear))")
                + (ids.map { " with \($0)" } ?? "")
        case .file(let path): "file \(quoted(path))"
        case .containerPIDFD: "the container's pidfd"
        case .standardInput: "stdin"
        case .standardOutput: "stdout"
        case .standardError: "stderr"
        case .terminal: "the terminal"
        case .cgroupFile: "a cgroup's file"
        case .startFIFO: "the start FIFO"
        case .publishedPort: "a published port"
        }
    }
}

extension IDMaps: CustomStringConvertible {
    package var description: String {
        let lines = namespace ?? "uids \(uids) gids \(gids)"
        return "ids of \(String(lines.map { $0 == "\n" ? "," : $0 }))\(recursive ? " below too" : "")"
    }
}

extension ParentStep: CustomStringConvertible {
    package var description: String {
        switch self {
        case .idMaps(let maps): "map \(maps)"
        case .oomScore(let score): "set the OOM score adjustment \(score)"
        case .resourceLimit(let resource, _, _): "set resource limit \(resource)"
        }
    }
}

extension CgroupStep: CustomStringConvertible {
    package var description: String {
        switch self {
        case .startScope(let name, let slice, _, _): "start the scope \(name) in \(slice)"
        case .makeDirectory(let path): "make the cgroup \(path)"
        case .write(let path, let value, let optional):
            "write \(quoted(value)) to \(path)\(optional ? " if the kernel has it" : "")"
        case .moveSelf(let path): "join the cgroup \(path)"
        case .attachDeviceFilter(let path, _): "attach the device filter to \(path)"
        case .delegate(let path, let uid): "delegate \(path) to user \(uid)"
        case .cloneInto(let path): "be born in the cgroup \(path)"
        case .openForChild(let path, _): "open \(path)"
        }
    }
}

private func hex(_ number: UInt64) -> String { String(number, radix: 16) }

private func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\n": out += "\\n"
        case "\"", "\\": out += "\\\(scalar)"
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
