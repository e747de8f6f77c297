package import Failure

/// `user:role:type:level`, where the level may have colons of its own.
package struct SELinuxContext: Sendable, Equatable, CustomStringConvertible {
    package var user, role, type, level: String

    package init?(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        user = String(parts[0])
        role = String(parts[1])
        type = String(parts[2])
        level = String(parts[3])
    }

    package var description: String { "\(user):\(role):\(type):\(level)" }

    /// The sensitivity alone: no container's own.
    package var shared: SELinuxContext {
        var context = self
        context.level = "s0"
        return context
    }
}

/// `--security-opt label=…`: docker's words and rules.
package struct LabelOptions: Sendable, Equatable {
    package private(set) var isDisabled = false
    /// The container may see the policy and ask for labels of its own.
    package private(set) var isNested = false
    private var values: [String: String] = [:]

    package init() {}

    /// Of `--security-opt` values the `label=` ones.
    package init(securityOptions: [String]) throws(Failure) {
        for option in securityOptions where option.hasPrefix("label=") || option.hasPrefix("label:") {
            try add(String(option.dropFirst("label=".count)))
        }
    }

    /// - Throws: `invalidArgument`, without the flag's name.
    package mutating func add(_ text: String) throws(Failure) {
        switch text {
        case "disable": isDisabled = true
        case "nested": isNested = true
        default:
            let key = text.prefix { $0 != ":" }
            let value = text.dropFirst(key.count + 1)
            guard ["user", "role", "type", "level", "filetype"].contains(key), !value.isEmpty else {
                throw Failure(
                    .invalidArgument, "bad label option \(text)",
                    hint: "known: disable, nested, and user, role, type, level and filetype with :VALUE")
            }
            values[String(key)] = String(value)
        }
    }

    /// The one that is asked for, if any: no other is to be chosen for the container.
    package var level: String? { values["level"] }

    /// What the options make of the policy's contexts.
    /// - Parameter level: of a container that asks for none: `s0:c17,c501`.
    package func labels(of policy: ContainerLabels, level: String) -> ContainerLabels {
        var labels = policy
        labels.process.level = self.level ?? level
        labels.files.level = labels.process.level
        if let user = values["user"] {
            labels.process.user = user
            labels.files.user = user
        }
        if let role = values["role"] { labels.process.role = role }
        if let type = values["type"] { labels.process.type = type }
        if let type = values["filetype"] { labels.files.type = type }
        return labels
    }
}

/// What a container's processes and files are labelled with.
package struct ContainerLabels: Sendable, Equatable {
    package var process: SELinuxContext
    package var files: SELinuxContext

    package init(process: SELinuxContext, files: SELinuxContext) {
        self.process = process
        self.files = files
    }

    /// Files of a container without a label of its own: categories that no container gets.
    package static let reservedLevel = "s0:c1022,c1023"
    /// Categories are below this; the two last are reserved.
    package static let categories: UInt32 = 1022

    /// Two different ones, the lower first, as policies want them: `s0:c17,c501`.
    package static func level(first: UInt32, second: UInt32) -> String? {
        guard first != second else { return nil }
        return "s0:c\(min(first, second)),c\(max(first, second))"
    }

    /// The policy's, from its file `lxc_contexts`; nil where it has none.
    package init?(contexts text: String) {
        var found: [String: SELinuxContext] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, !line.hasPrefix("#") else { continue }
            let value = parts[1].filter { $0 != "\"" && $0 != " " }
            found[parts[0].filter { $0 != " " }] = SELinuxContext(value)
        }
        guard let process = found["process"], let files = found["file"] else { return nil }
        self.init(process: process, files: files)
    }

    /// The running policy's.
    package static func ofPolicy() -> ContainerLabels? {
        let words = HostFile.words("/etc/selinux/config")
        let name = words.first { $0.hasPrefix("SELINUXTYPE=") }?.dropFirst("SELINUXTYPE=".count) ?? "targeted"
        guard let bytes = try? HostFile.bytes("/etc/selinux/\(name)/contexts/lxc_contexts") else {
            return nil
        }
        return ContainerLabels(contexts: String(decoding: bytes, as: UTF8.self))
    }
}
