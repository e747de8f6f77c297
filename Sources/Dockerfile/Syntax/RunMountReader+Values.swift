extension RunMountReader {
    func boolean(_ key: Key) throws(DockerfileError) -> Bool? {
        guard let value = values[key] else { return nil }
        switch value {
        case "1", "t", "T", "true", "TRUE", "True": return true
        case "0", "f", "F", "false", "FALSE", "False": return false
        default: throw DockerfileError("mount field \"\(key.rawValue)\" is true or false, not \"\(value)\"")
        }
    }

    func sharing() throws(DockerfileError) -> RunMount.Sharing {
        guard let value = values[.sharing] else { return .shared }
        guard let sharing = RunMount.Sharing(rawValue: value.lowercased()) else {
            throw DockerfileError(
                "unsupported sharing \"\(value)\" of a cache mount",
                hint: Nearest(among: RunMount.Sharing.allCases.map(\.rawValue)).hint(for: value)
                    ?? "it is shared, private or locked")
        }
        return sharing
    }

    func size() throws(DockerfileError) -> Int64? {
        guard let value = values[.size] else { return nil }
        guard let size = ByteSize.bytes(value) else {
            throw DockerfileError(
                "invalid mount size \"\(value)\"", hint: "a size is a number and a unit: 64m, 1g")
        }
        return size
    }

    func mode() throws(DockerfileError) -> UInt32? {
        guard let value = values[.mode] else { return nil }
        guard value.first?.isNumber == true, let mode = UInt32(value, radix: 8) else {
            throw DockerfileError("mount mode \"\(value)\" is no octal number")
        }
        return mode
    }

    func identifier(_ key: Key) throws(DockerfileError) -> UInt32? {
        guard let value = values[key] else { return nil }
        guard value.first?.isNumber == true, let number = UInt32(value) else {
            throw DockerfileError("mount \(key.rawValue) \"\(value)\" is no number")
        }
        return number
    }
}
