internal import CommandTable
package import Failure

/// `--secret NAME[,type=mount|env][,target=…][,uid=…][,gid=…][,mode=…]`: what a container's record keeps of it, which is not
/// its value.
package struct StoredSecret: Sendable, Equatable {
    package var name: String
    package var isVariable = false
    /// A path, or the variable's name.
    package var target: String
    package var uid: UInt32 = 0
    package var gid: UInt32 = 0
    package var mode: UInt32 = 0o444

    /// From the flag's words.
    package init(flag text: String) throws(Failure) {
        func refuse(_ why: String) -> Failure { Failure(.invalidArgument, "--secret \(text): \(why)") }
        var parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        if let source = parts.first, source.hasPrefix("source=") { parts[0] = String(source.dropFirst(7)) }
        name = parts[0]
        do throws(Failure) { try SecretStore.check(name) } catch { throw error.within("--secret \(text)") }
        target = ""
        for option in parts.dropFirst() {
            let pair = try KeyValue.pair(option)
            switch pair.key {
            case "type":
                guard pair.value == "mount" || pair.value == "env" else {
                    throw refuse("type is mount or env")
                }
                isVariable = pair.value == "env"
            case "target": target = pair.value
            case "uid", "gid":
                guard let number = UInt32(pair.value) else { throw refuse("\(pair.key) is a number") }
                if pair.key == "uid" { uid = number } else { gid = number }
            case "mode":
                guard let number = UInt32(pair.value, radix: 8), number <= 0o7777 else {
                    throw refuse("mode is an octal number")
                }
                mode = number
            default: throw refuse("there is no option \(pair.key)")
            }
        }
        if target.isEmpty { target = name }
        if isVariable {
            guard !target.contains("=") else { throw refuse("a variable's name has no \"=\"") }
        } else if !target.hasPrefix("/") {
            target = "/run/secrets/\(target)"
        }
    }

    package var line: String {
        [name, isVariable ? "env" : "mount", target, String(uid), String(gid), String(mode, radix: 8)]
            .joined(separator: "\t")
    }

    package init(line: String) throws(Failure) {
        let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 6, let uid = UInt32(fields[3]), let gid = UInt32(fields[4]),
            let mode = UInt32(fields[5], radix: 8)
        else { throw Failure(.dataLoss, "a container's record has the damaged secret \"\(line)\"") }
        name = fields[0]
        isVariable = fields[1] == "env"
        target = fields[2]
        self.uid = uid
        self.gid = gid
        self.mode = mode
    }
}

extension ContainerRecord {
    var secrets: [StoredSecret] {
        get throws(Failure) {
            try settings.life.secrets.map { (line) throws(Failure) in try StoredSecret(line: line) }
        }
    }
}
