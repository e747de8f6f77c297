extension RunMount {
    /// Reads the value of a `--mount` with all its defaults. The number of an ssh mount's default target
    /// (`/run/buildkit/ssh_agent.0`) depends on its neighbours: its target stays empty.
    package static func parse(
        _ text: String, expanding: (String) throws(DockerfileError) -> String
    ) throws(DockerfileError) -> RunMount {
        try RunMountFields(text).mount(expanding)
    }
}

extension RunMountFields {
    func mount(_ expanding: (String) throws(DockerfileError) -> String) throws(DockerfileError) -> RunMount {
        var expanded: [Key: String] = [:]
        for key in Key.allCases {
            if let value = values[key] { expanded[key] = try expanding(value) }
        }
        return try RunMountReader(values: expanded).mount()
    }
}
