/// `# check=skip=Rule,Rule;error=true;experimental=all`
struct LintOptions: Sendable, Equatable {
    enum Choice: Sendable, Equatable {
        case all
        /// Names of rules in lower case.
        case some(Set<String>)

        init(_ text: Substring) {
            let names = text.split(separator: ",").map { $0.trimmed.lowercased() }
            self = names == ["all"] ? .all : .some(Set(names))
        }

        func holds(_ rule: LintRule) -> Bool {
            switch self {
            case .all: true
            case .some(let names): names.contains(rule.rawValue.lowercased())
            }
        }
    }

    var skipped = Choice.some([])
    var experimental = Choice.some([])
    /// A finding fails the build.
    var isError = false

    init() {}

    /// What is not understood is passed over: it may be an option of tomorrow.
    init(_ text: String) {
        for option in text.split(separator: ";") {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            switch parts[0].trimmed.lowercased() {
            case "skip": skipped = Choice(parts[1])
            case "experimental": experimental = Choice(parts[1])
            case "error": isError = ["true", "1", "t"].contains(parts[1].trimmed.lowercased())
            default: break
            }
        }
    }

    /// A build argument wins over the directive.
    init(_ document: DockerfileDocument, buildArguments: [String: String]) {
        self.init(
            buildArguments["BUILDKIT_DOCKERFILE_CHECK"]
                ?? document.directives.last { $0.name == "check" }?.value ?? "")
    }

    func applies(_ rule: LintRule) -> Bool {
        !skipped.holds(rule) && (!rule.isExperimental || experimental.holds(rule))
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
