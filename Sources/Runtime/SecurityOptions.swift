internal import Failure

/// `--security-opt` values but `seccomp=`.
struct SecurityOptions {
    var noNewPrivileges = false
    var appArmor: String?
    var labels = LabelOptions()
    var systemPathsUnconfined = false
    var masked: [String] = []
    private var unmasked: [String] = []

    init(_ options: [String]) throws(Failure) {
        for option in options {
            // docker takes `name:value` from old days as well.
            let cut = option.firstIndex { $0 == "=" || $0 == ":" }
            let name = cut.map { String(option[..<$0]) } ?? option
            let value = cut.map { String(option[option.index(after: $0)...]) }
            switch (name, value) {
            case ("no-new-privileges", nil), ("no-new-privileges", "true"): noNewPrivileges = true
            case ("no-new-privileges", "false"): noNewPrivileges = false
            case ("apparmor", let profile?): appArmor = profile
            case ("systempaths", "unconfined"): systemPathsUnconfined = true
            case ("mask", let paths?): masked += try SecurityOptions.paths(paths, option)
            case ("unmask", "ALL"): systemPathsUnconfined = true
            case ("unmask", let paths?): unmasked += try SecurityOptions.paths(paths, option)
            case ("label", let word?):
                do throws(Failure) { try labels.add(word) } catch {
                    throw error.within("--security-opt \(option)")
                }
            case ("seccomp", _):
                throw Failure(.internal, "--security-opt \(option) was not read by its caller")
            default:
                throw Failure(
                    .invalidArgument, "--security-opt \(option): unknown option",
                    hint:
                        "known: no-new-privileges, seccomp=, apparmor=, label=, systempaths=unconfined, mask=, unmask="
                )
            }
        }
    }

    private static func paths(_ list: String, _ option: String) throws(Failure) -> [String] {
        let paths = list.split(separator: ":").map(String.init)
        guard !paths.isEmpty, paths.allSatisfy({ $0.hasPrefix("/") }) else {
            throw Failure(.invalidArgument, "--security-opt \(option): paths need to be absolute")
        }
        return paths
    }

    /// Whether `unmask=` names the path or a directory above it.
    func unmask(covers path: String) -> Bool {
        unmasked.contains { path == $0 || path.hasPrefix($0.hasSuffix("/") ? $0 : $0 + "/") }
    }
}
