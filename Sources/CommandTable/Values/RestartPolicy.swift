package import Failure

/// `--restart`: what becomes of a container whose process has ended.
package enum RestartPolicy: Equatable, Sendable, CustomStringConvertible {
    case no
    case always
    case unlessStopped
    /// After an exit code other than 0; at most so many times, 0 for no bound.
    case onFailure(retries: Int32)

    package static func parse(_ text: String) throws(Failure) -> RestartPolicy {
        switch text {
        case "", "no": return .no
        case "always": return .always
        case "unless-stopped": return .unlessStopped
        case "on-failure": return .onFailure(retries: 0)
        default:
            guard text.hasPrefix("on-failure:") else {
                throw Failure(.invalidArgument, "not one of no, always, unless-stopped, on-failure[:RETRIES]")
            }
            guard let retries = Digits.unsigned(text.utf8.dropFirst(11)), retries <= Int32.max else {
                throw Failure(.invalidArgument, "the number of retries is a whole number")
            }
            return .onFailure(retries: Int32(retries))
        }
    }

    package var description: String {
        switch self {
        case .no: "no"
        case .always: "always"
        case .unlessStopped: "unless-stopped"
        case .onFailure(0): "on-failure"
        case .onFailure(let retries): "on-failure:\(retries)"
        }
    }
}
