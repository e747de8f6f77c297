package import Failure
internal import LinuxSystem

/// A secret without its value.
package struct Secret: Sendable, Equatable {
    package let name: String
    package let id: String
    /// Nanoseconds since 1970.
    package let created: Int64
    package let updated: Int64
    /// `KEY=VALUE`
    package let labels: [String]
}

/// Values that containers may read and that are in no record, inspection, layer or list.
///
/// ```
/// secrets/<name>    id, times, labels and the value in hexadecimal digits; kind `ctr-secret 1`, mode 0600
/// secrets/.lock     exclusive: who makes or removes one
/// ```
///
/// One file each: a value is replaced by a rename, so that it is the former or the new one, whole.
package struct SecretStore: Sendable {
    /// As podman's.
    static let mostBytes = 512_000
    private static let kind = "ctr-secret 1"

    let root: Int32

    package static func check(_ name: String) throws(Failure) {
        guard ContainerName.isValid(name), name.utf8.count <= 253 else {
            throw Failure(
                .invalidArgument,
                "the secret name \"\(name)\" is not valid: letters, digits, dots, dashes and underscores, two at least, a letter or digit first"
            )
        }
    }

    /// - Parameter replacing: one of the same name goes; containers that are started later read the new one.
    package func create(
        _ name: String, _ value: [UInt8], labels: [String], replacing: Bool
    ) throws(Failure) -> Secret {
        try SecretStore.check(name)
        guard !value.isEmpty, value.count <= SecretStore.mostBytes else {
            throw Failure(
                .invalidArgument,
                "the secret \(name) has \(value.count) bytes: there may be 1 to \(SecretStore.mostBytes)")
        }
        let lock = try lock()
        defer { _ = lock.raw }
        let former = try find(name)
        guard former == nil || replacing else {
            throw Failure(
                .alreadyExists, "secret \(name): the name is in use",
                hint: "\"ctr secret rm \(name)\" removes it, --replace puts another value in its place")
        }
        let now = Timestamp.now().nanosecondsSinceEpoch
        let secret = Secret(
            name: name, id: String(randomHex(bytes: 16).prefix(25)), created: former?.created ?? now,
            updated: now,
            labels: labels)
        var record = FlatRecord(kind: SecretStore.kind)
        record.add("id", secret.id)
        record.add("created", String(secret.created))
        record.add("updated", String(secret.updated))
        record.add("label", all: labels)
        record.add("value", SecretStore.digits(of: value))
        let bytes = record.bytes
        try during("write secret \(name)") { () throws(SystemError) in
            let directory = try Directory.open("secrets", in: root)
            // What a killed writer has left.
            for name in try Directory.names(in: directory) where name.hasPrefix(".") && name != ".lock" {
                try Directory.removeFile(name, in: directory.raw)
            }
            try AtomicFile.write(bytes, to: name, in: directory.raw)
        }
        return secret
    }

    package func all() throws(Failure) -> [Secret] {
        let names = try during("list the secrets") { () throws(SystemError) -> [String] in
            do throws(SystemError) {
                return try Directory.names(in: try Directory.open("secrets", in: root))
            } catch {
                if error.code == .notFound { return [] }
                throw error
            }
        }
        var secrets: [Secret] = []
        for name in names where !name.hasPrefix(".") {
            if let secret = try find(name) { secrets.append(secret) }
        }
        return secrets
    }

    /// By name, id, or the beginning of an id that only one has.
    package func resolve(_ word: String) throws(Failure) -> Secret {
        if ContainerName.isValid(word), let secret = try find(word) { return secret }
        let matches = try all().filter { !word.isEmpty && $0.id.hasPrefix(word) }
        guard let secret = matches.first else { throw Failure(.notFound, "No such secret: \(word)") }
        guard matches.count == 1 else {
            throw Failure(.conflict, "\"\(word)\" is the beginning of \(matches.count) secrets' ids")
        }
        return secret
    }

    package func remove(_ secret: Secret) throws(Failure) {
        let lock = try lock()
        try during("remove secret \(secret.name)") { () throws(SystemError) in
            try Directory.removeFile("secrets/\(secret.name)", in: root)
            try Directory.open("secrets", in: root).synchronize()
        }
        _ = consume lock
    }

    func value(of name: String) throws(Failure) -> [UInt8] {
        guard let record = try record(of: name) else {
            throw Failure(
                .notFound, "No such secret: \(name)", hint: "\"ctr secret create \(name) FILE\" makes it")
        }
        guard let text = record.first("value"), let value = SecretStore.value(ofDigits: text) else {
            throw Failure(.dataLoss, "the secret \(name) is damaged")
        }
        return value
    }

    func find(_ name: String) throws(Failure) -> Secret? {
        guard let record = try record(of: name) else { return nil }
        return Secret(
            name: name, id: record.first("id") ?? "", created: Int64(record.first("created") ?? "") ?? 0,
            updated: Int64(record.first("updated") ?? "") ?? 0, labels: record.all("label"))
    }

    private func record(of name: String) throws(Failure) -> FlatRecord? {
        let bytes = try during("read secret \(name)") { () throws(SystemError) in
            try AtomicFile.read("secrets/\(name)", in: root, limit: 4 << 20)
        }
        return try bytes.map { (bytes) throws(Failure) in
            try FlatRecord(kind: SecretStore.kind, parsing: bytes, name: "secret \(name)")
        }
    }

    static func digits(of value: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: value.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    static func value(ofDigits text: String) -> [UInt8]? {
        var value: [UInt8] = []
        var high: UInt8?
        for byte in text.utf8 {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            if let first = high {
                value.append(first << 4 | UInt8(digit))
                high = nil
            } else {
                high = UInt8(digit)
            }
        }
        return high == nil ? value : nil
    }

    private func lock() throws(Failure) -> FileLock {
        try during("lock the secrets") { () throws(SystemError) in
            try Directory.ensure("secrets", in: root)
            return try FileLock("secrets/.lock", in: root, .exclusive)
        }
    }
}
