/// The instructions of the language.
enum Keyword: String, CaseIterable {
    case add = "ADD"
    case arg = "ARG"
    case cmd = "CMD"
    case copy = "COPY"
    case entrypoint = "ENTRYPOINT"
    case env = "ENV"
    case expose = "EXPOSE"
    case from = "FROM"
    case healthcheck = "HEALTHCHECK"
    case label = "LABEL"
    case maintainer = "MAINTAINER"
    case onbuild = "ONBUILD"
    case run = "RUN"
    case shell = "SHELL"
    case stopsignal = "STOPSIGNAL"
    case user = "USER"
    case volume = "VOLUME"
    case workdir = "WORKDIR"

    static let unknown = "unknown instruction"

    init(_ word: Fragment) throws(DockerfileError) {
        let written = word.text
        guard let keyword = Keyword(rawValue: written.uppercased()) else {
            throw DockerfileError(
                "\(Self.unknown) \"\(written)\"", at: word.range,
                hint: Nearest(among: Self.allCases.map(\.rawValue)).hint(for: written))
        }
        self = keyword
    }

    var takesHeredocs: Bool { self == .add || self == .copy || self == .run }

    /// The flags that it knows.
    var flags: [FlagReader.Known] {
        switch self {
        case .add:
            [
                .text("chown"), .text("chmod"), .boolean("link"), .boolean("keep-git-dir"), .text("checksum"),
                .boolean("unpack"), .list("exclude"),
            ]
        case .copy:
            [
                .text("chown"), .text("from"), .text("chmod"), .boolean("link"), .list("exclude"),
                .boolean("parents"),
            ]
        case .from: [.text("platform")]
        case .healthcheck:
            [
                .text("interval"), .text("timeout"), .text("start-period"), .text("start-interval"),
                .text("retries"),
            ]
        case .run: [.list("mount"), .text("network"), .text("security"), .list("device")]
        default: []
        }
    }
}
