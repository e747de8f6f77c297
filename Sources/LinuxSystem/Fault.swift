internal import CLinux
internal import Glibc
internal import Synchronization

/// Faults on request, for tests of the debug program.
///
/// - `CTR_FAULT=fsync:5@3,renameat2:28@1`: the third fsync fails with errno 5 (EIO), the first renameat2 with 28.
/// - `CTR_FAILPOINT=store.rename:kill`: the process kills itself by SIGKILL when it comes to `store.rename`;
///   `…:kill@2` the second time.
enum Fault {
    private struct Rule {
        let name: String
        let action: String
        let turn: Int
    }

    private static let errors = rules(from: "CTR_FAULT")
    private static let points = rules(from: "CTR_FAILPOINT")
    private static let counts = Mutex<[String: Int]>([:])

    private static func rules(from variable: String) -> [Rule] {
        guard let value = getenv(variable) else { return [] }
        return String(cString: value).split(separator: ",").compactMap { rule in
            let parts = rule.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            let action = parts[1].split(separator: "@")
            return Rule(
                name: String(parts[0]), action: String(action[0]),
                turn: action.count > 1 ? Int(action[1]) ?? 1 : 1)
        }
    }

    private static func takeTurn(_ name: String) -> Int {
        counts.withLock { counts in
            counts[name, default: 0] += 1
            return counts[name, default: 0]
        }
    }

    static func due(at call: String) -> Int32? {
        guard !errors.isEmpty, let rule = errors.first(where: { $0.name == call }) else { return nil }
        return takeTurn(call) == rule.turn ? Int32(rule.action) : nil
    }

    static func reached(_ point: String) {
        guard !points.isEmpty, let rule = points.first(where: { $0.name == point }) else { return }
        if takeTurn("point " + point) == rule.turn, rule.action == "kill" { kill(getpid(), SIGKILL) }
    }
}

/// A named step between two durable states, where tests kill the process. Nothing in release builds.
@inline(__always)
package func failpoint(_ name: StaticString) {
    #if DEBUG
        Fault.reached(name.description)
    #endif
}
