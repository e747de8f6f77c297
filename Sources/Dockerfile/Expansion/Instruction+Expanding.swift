extension Instruction {
    /// The instruction with its variables put in and its quotes taken away, as far as that is the builder's to do: what
    /// a shell runs is left to the shell, and ONBUILD to the image's heir. RUN stays as it is, but the variables of its
    /// `--mount`s count as read. `COPY --from` takes none. All variables have the value that they had before the
    /// instruction; only the names of an ARG see those before them in the same line.
    ///
    /// The dictionaries are for ARG, whose values are final afterwards: a build argument's, else the default, else that
    /// of the global ARG; nil where there is none of them. A default that is not needed may be malformed.
    package func expanding(
        _ expansion: Expansion, buildArguments: [String: String] = [:],
        globalArguments: [String: String] = [:]
    ) throws(DockerfileError) -> (instruction: Instruction, used: Set<String>, undefined: Set<String>) {
        var expander = Expander(expansion, buildArguments: buildArguments, globalArguments: globalArguments)
        var copy = self
        do {
            copy.kind = try expander.expand(kind)
        } catch {
            throw error.at(range)
        }
        return (copy, expander.used, expander.undefined)
    }
}

extension Stage {
    /// FROM's base and platform with their variables put in.
    package func expandingBase(
        _ expansion: Expansion
    ) throws(DockerfileError) -> (base: String, platform: String?, used: Set<String>, undefined: Set<String>)
    {
        var expander = Expander(expansion)
        do {
            let base = try expander.word(base)
            let platform = try expander.word(platform)
            return (base, platform, expander.used, expander.undefined)
        } catch {
            throw error.at(range)
        }
    }
}
