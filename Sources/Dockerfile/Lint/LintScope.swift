/// What is known about variables at some place of a Dockerfile.
struct LintScope {
    var values: [String: String] = [:]
    /// Defined, with a value that is not known here.
    var known: Set<String> = []
    /// Set by ENV, which an ARG cannot override.
    private var environment: Set<String> = []

    /// A WORKDIR was there already.
    var hasWorkdir = false
    var hasShell = false

    /// The variables that are there before the first FROM without being declared. Their values stand for those of the
    /// build, which a check is not about.
    static let platform: [String: String] = [
        "BUILDPLATFORM": "linux/amd64", "BUILDOS": "linux", "BUILDOSVERSION": "", "BUILDARCH": "amd64",
        "BUILDVARIANT": "", "TARGETPLATFORM": "linux/amd64", "TARGETOS": "linux", "TARGETOSVERSION": "",
        "TARGETARCH": "amd64", "TARGETVARIANT": "", "TARGETSTAGE": "default",
    ]

    /// Build arguments that need no declaration.
    static let proxies: Set<String> = {
        let upper = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"]
        return Set(upper + upper.map { $0.lowercased() })
    }()

    /// What official images set.
    static let common: Set<String> = [
        "PATH", "LANG", "LC_ALL", "LANGUAGE", "GOPATH", "GOTOOLCHAIN", "GOLANG_VERSION", "JAVA_HOME",
        "JAVA_VERSION",
        "NODE_VERSION", "YARN_VERSION", "PYTHON_VERSION", "PHP_VERSION", "PHP_INI_DIR", "RUBY_VERSION",
        "GEM_HOME",
        "BUNDLE_APP_CONFIG", "CARGO_HOME", "RUSTUP_HOME", "RUST_VERSION", "MAVEN_HOME", "GRADLE_HOME",
        "PG_MAJOR",
        "PG_VERSION", "PGDATA", "NGINX_VERSION", "CATALINA_HOME", "REDIS_VERSION", "MYSQL_VERSION",
        "DOTNET_VERSION", "ASPNET_VERSION",
    ]

    mutating func setEnvironment(_ name: String, _ value: String) {
        environment.insert(name)
        values[name] = value
    }

    /// nil: declared without a value.
    mutating func declare(_ name: String, _ value: String?) {
        guard !environment.contains(name) else { return }
        if let value { values[name] = value } else { known.insert(name) }
    }

    /// The names that could have been meant by another one.
    var names: [String] { Set(values.keys).union(known).sorted() }
}
