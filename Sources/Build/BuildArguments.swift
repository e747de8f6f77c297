internal import Dockerfile
internal import Failure
internal import OCI

/// The values that ARG may have: `--build-arg`, the platforms, and the proxies that need no declaration.
struct BuildArguments: Sendable {
    /// `--build-arg`
    let given: [String: String]
    private let platforms: [String: String]

    /// Known in every RUN without ARG, and never kept: neither in the history nor in the cache's keys.
    static let proxies: Set<String> = Set(
        ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"].flatMap { [$0, $0.lowercased()] })

    init(_ given: [String: String], platform: Platform, host: Platform, target: String?) {
        self.given = given
        var values: [String: String] = [:]
        for (prefix, platform) in [("TARGET", platform), ("BUILD", host)] {
            values["\(prefix)PLATFORM"] = platform.description
            values["\(prefix)OS"] = platform.os
            values["\(prefix)ARCH"] = platform.architecture
            values["\(prefix)VARIANT"] = platform.variant ?? ""
        }
        values["TARGETSTAGE"] = target ?? "default"
        platforms = values
    }

    /// What an ARG without a value of its own gives; nil: declared, without a value.
    func predefined(_ name: String) -> String? { platforms[name] }

    /// The proxies that were given, for RUN.
    var givenProxies: [(name: String, value: String)] {
        given.filter { BuildArguments.proxies.contains($0.key) }.sorted { $0.key < $1.key }.map {
            ($0.key, $0.value)
        }
    }

    /// Of the ARGs before the first FROM, each expanded by those before it.
    func globals(of document: DockerfileDocument) throws(DockerfileError) -> [String: String] {
        var values: [String: String] = [:]
        for instruction in document.globalArguments {
            guard case .arg(let declarations) = instruction.kind else { continue }
            for declaration in declarations {
                let expansion = Expansion(
                    escape: document.escape, variables: platforms.merging(values) { _, own in own })
                var fallback: String?
                if let text = declaration.value {
                    do throws(DockerfileError) {
                        fallback = try expansion.word(text).value
                    } catch {
                        throw error.at(instruction.range)
                    }
                }
                if let value = given[declaration.name] ?? fallback ?? platforms[declaration.name] {
                    values[declaration.name] = value
                }
            }
        }
        return values
    }

    /// What FROM may use.
    func forBases(_ globals: [String: String]) -> [String: String] {
        platforms.merging(globals) { _, own in own }
    }

    /// `--build-arg` names that no ARG takes.
    func unused(declared: Set<String>) -> [String] {
        given.keys.filter {
            !declared.contains($0) && !BuildArguments.proxies.contains($0) && platforms[$0] == nil
                && $0 != "SOURCE_DATE_EPOCH" && !$0.hasPrefix("BUILDKIT_")
        }.sorted()
    }
}
