/// The rules of `--check`, by BuildKit's names. `InvalidBaseImagePlatform` is not among them: it takes the image.
enum LintRule: String, CaseIterable {
    case stageNameCasing = "StageNameCasing"
    case fromAsCasing = "FromAsCasing"
    case noEmptyContinuation = "NoEmptyContinuation"
    case consistentInstructionCasing = "ConsistentInstructionCasing"
    case duplicateStageName = "DuplicateStageName"
    case reservedStageName = "ReservedStageName"
    case jsonArgsRecommended = "JSONArgsRecommended"
    case maintainerDeprecated = "MaintainerDeprecated"
    case undefinedArgInFrom = "UndefinedArgInFrom"
    case workdirRelativePath = "WorkdirRelativePath"
    case undefinedVar = "UndefinedVar"
    case multipleInstructionsDisallowed = "MultipleInstructionsDisallowed"
    case legacyKeyValueFormat = "LegacyKeyValueFormat"
    case redundantTargetPlatform = "RedundantTargetPlatform"
    case secretsUsedInArgOrEnv = "SecretsUsedInArgOrEnv"
    case invalidDefaultArgInFrom = "InvalidDefaultArgInFrom"
    case fromPlatformFlagConstDisallowed = "FromPlatformFlagConstDisallowed"
    case copyIgnoredFile = "CopyIgnoredFile"
    case invalidDefinitionDescription = "InvalidDefinitionDescription"
    case exposeProtoCasing = "ExposeProtoCasing"
    case exposeInvalidFormat = "ExposeInvalidFormat"

    /// Off unless `# check=experimental=…` turns it on.
    var isExperimental: Bool {
        self == .copyIgnoredFile || self == .invalidDefinitionDescription
    }

    var summary: String {
        switch self {
        case .stageNameCasing: "Names of stages are written in lower case"
        case .fromAsCasing: "FROM and AS are written in the same case"
        case .noEmptyContinuation: "An instruction is not continued by an empty line"
        case .consistentInstructionCasing: "All instructions are written in the same case"
        case .duplicateStageName: "A stage's name is its own"
        case .reservedStageName: "A stage has no name that means something else already"
        case .jsonArgsRecommended: "CMD and ENTRYPOINT in the JSON form let signals through to the program"
        case .maintainerDeprecated: "A label names an image's author; MAINTAINER is deprecated"
        case .undefinedArgInFrom: "FROM uses arguments that are declared before the first FROM"
        case .workdirRelativePath:
            "A relative WORKDIR follows an absolute one, and not what the base image has"
        case .undefinedVar: "A variable is declared before it is used"
        case .multipleInstructionsDisallowed: "Of some instructions a stage has one, for only the last counts"
        case .legacyKeyValueFormat: "ENV and LABEL are written with an equals sign"
        case .redundantTargetPlatform: "The target's platform is what FROM uses anyway"
        case .secretsUsedInArgOrEnv: "Secrets are mounted; ARG and ENV leave them in the image"
        case .invalidDefaultArgInFrom: "FROM names an image with the defaults of its arguments too"
        case .fromPlatformFlagConstDisallowed:
            "FROM --platform is no constant, so that other platforms can be built"
        case .copyIgnoredFile: "What COPY and ADD take is not left out by .dockerignore"
        case .invalidDefinitionDescription:
            "A comment right above an ARG or a named FROM begins with the name that it describes"
        case .exposeProtoCasing: "EXPOSE names protocols in lower case"
        case .exposeInvalidFormat:
            "EXPOSE names ports of the container, neither addresses nor ports of the host"
        }
    }
}
