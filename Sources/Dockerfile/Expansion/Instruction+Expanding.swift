extension Instruction {
    /// The instruction with its variables put in and its quotes taken away, as far as that is the builder's to do: what
    /// a shell runs is left to the shell, and so are `RUN --mount` to `RunMount` and ONBUILD to the image's heir. All
    /// variables have the value that they had before the instruction. `COPY --from` takes none.
    package func expanding(
        _ expansion: Expansion
    ) throws(DockerfileError) -> (instruction: Instruction, used: Set<String>, undefined: Set<String>) {
        var expander = Expander(expansion)
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
