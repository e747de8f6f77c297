package import Failure

extension MountRequest {
    /// `--tmpfs /path[:OPTIONS]`. Without a word to the contrary it is `nosuid`, `nodev` and `noexec`, as docker has it.
    package init(tmpfs text: String) throws(Failure) {
        let colon = text.utf8.firstIndex(of: UInt8(ascii: ":"))
        self.init(source: .tmpfs, target: try MountPath.target(colon.map { String(text[..<$0]) } ?? text))
        var given: [String] = []
        if let colon {
            let list = text[text.utf8.index(after: colon)...]
            guard !list.isEmpty else { throw Failure(.invalidArgument, "no options after the colon") }
            given = list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        for option in given { try MountRequest.checkTmpfs(option) }
        isReadOnly = given.last { $0 == "ro" || $0 == "rw" } == "ro"
        options = MountRequest.tmpfsOptions(given.filter { $0 != "ro" && $0 != "rw" && $0 != "defaults" })
    }

    /// The defaults, then what was given; a later word takes the place of its contrary and of the same key.
    static func tmpfsOptions(_ given: [String]) -> [String] {
        var options: [String] = []
        for option in ["nosuid", "nodev", "noexec"] + given {
            let key = key(of: option)
            options.removeAll { self.key(of: $0) == key }
            options.append(option)
        }
        return options
    }

    /// `exec` and `noexec` are the same key, `size=1m` and `size=2m` too.
    private static func key(of option: String) -> String {
        let name = String(option.prefix { $0 != "=" })
        if let pair = switches.first(where: { $0.on == name || $0.off == name }) { return pair.on }
        return name
    }

    private static let switches: [(on: String, off: String)] = [
        ("suid", "nosuid"), ("dev", "nodev"), ("exec", "noexec"), ("sync", "async"), ("atime", "noatime"),
        ("diratime", "nodiratime"), ("relatime", "norelatime"), ("strictatime", "nostrictatime"),
    ]

    private static func checkTmpfs(_ option: String) throws(Failure) {
        if ["ro", "rw", "defaults"].contains(option)
            || switches.contains(where: { $0.on == option || $0.off == option })
        {
            return
        }
        guard let equals = option.utf8.firstIndex(of: UInt8(ascii: "=")) else {
            throw Failure(
                .invalidArgument, "unknown option \"\(option)\" of a tmpfs",
                hint:
                    "Options are size=, mode=, uid=, gid=, nr_inodes=, nr_blocks=, ro, exec, suid, dev and their contraries."
            )
        }
        let value = option[option.utf8.index(after: equals)...]
        let fits: Bool
        switch option[..<equals] {
        case "size", "nr_inodes", "nr_blocks": fits = isTmpfsSize(value)
        case "mode": fits = isOctalMode(value)
        case "uid", "gid":
            fits = UInt32(value).map { $0 < UInt32.max } == true && value.utf8.first != UInt8(ascii: "+")
        default:
            throw Failure(.invalidArgument, "unknown option \"\(option[..<equals])\" of a tmpfs")
        }
        guard fits else {
            throw Failure(.invalidArgument, "bad value of the option \"\(option)\" of a tmpfs")
        }
    }

    /// As the kernel reads it: a number with k, m, g or t, or a percentage of memory.
    private static func isTmpfsSize(_ value: Substring) -> Bool {
        let digits = value.utf8.prefix { (0x30...0x39).contains($0) }
        let rest = value.utf8.dropFirst(digits.count)
        return (1...18).contains(digits.count)
            && (rest.isEmpty || rest.count == 1 && rest.allSatisfy { "kmgtKMGT%".utf8.contains($0) })
    }

    static func isOctalMode(_ value: Substring) -> Bool {
        (1...5).contains(value.utf8.count) && value.utf8.allSatisfy { (0x30...0x37).contains($0) }
            && UInt32(value, radix: 8).map { $0 <= 0o7777 } == true
    }
}
