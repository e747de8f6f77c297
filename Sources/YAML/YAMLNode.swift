indirect enum YAMLNode {
    /// `isText`: by quotes or a tag; else by its looks.
    case scalar(String, isText: Bool)
    case list([YAMLNode])
    case mapping([(key: String, value: YAMLNode)])
}
