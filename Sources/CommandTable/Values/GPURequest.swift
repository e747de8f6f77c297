package import Failure

/// `--gpus`: `all`, a number, or docker's list of keys (`device=0,UUID`, `count=2`, `driver=nvidia`, `capabilities=…`).
package enum GPURequest: Equatable, Sendable {
    case all
    /// The first so many.
    case first(Int)
    /// By index or UUID.
    case named([String])

    /// What nvidia-ctk calls them in its CDI specs.
    private static let kind = "nvidia.com/gpu"

    /// As CDI devices.
    package var devices: [String] {
        switch self {
        case .all: ["\(Self.kind)=all"]
        case .first(let count): (0..<count).map { "\(Self.kind)=\($0)" }
        case .named(let names): names.map { "\(Self.kind)=\($0)" }
        }
    }

    package static func parse(_ text: String) throws(Failure) -> GPURequest {
        var count: GPURequest?
        var names: [String] = []
        // docker's value is a line of CSV: quotes hold what has commas. Without them a word after a list goes on with it.
        var listKey: String?
        for field in text.split(separator: ",", omittingEmptySubsequences: false) {
            let plain = String(field.filter { $0 != "\"" })
            guard let equals = plain.firstIndex(of: "=") else {
                switch listKey {
                case "device": names.append(plain)
                case .some: continue
                case nil: count = try number(plain)
                }
                continue
            }
            let key = String(plain[..<equals])
            let value = String(plain[plain.index(after: equals)...])
            listKey = ["device", "capabilities"].contains(key) ? key : nil
            switch key {
            case "device": names.append(value)
            case "count": count = try number(value)
            case "capabilities": continue
            case "driver":
                guard ["nvidia", ""].contains(value) else {
                    throw Failure(
                        .unsupported, "the driver \"\(value)\" is not known, only nvidia is",
                        hint: "--device vendor.com/class=name gives any device that has a CDI spec")
                }
            default:
                throw Failure(
                    .invalidArgument, "\"\(key)\" is none of count, device, driver and capabilities")
            }
        }
        if names.isEmpty { return count ?? .first(1) }
        guard count == nil else {
            throw Failure(.invalidArgument, "give a count or devices, not both")
        }
        if names == ["all"] { return .all }
        for name in names where CDIDeviceName(kind: kind, name: name) == nil {
            throw Failure(.invalidArgument, "\"\(name)\" is neither the index nor the UUID of a device")
        }
        return .named(names)
    }

    private static func number(_ text: String) throws(Failure) -> GPURequest {
        if text == "all" || text == "-1" { return .all }
        guard let count = Int(text), (1...1024).contains(count) else {
            throw Failure(.invalidArgument, "\"\(text)\" is neither \"all\" nor a number of devices")
        }
        return .first(count)
    }
}
