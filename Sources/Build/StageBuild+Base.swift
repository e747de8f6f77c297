internal import Dockerfile
internal import Engine
internal import Failure
internal import ImageStore
internal import LinuxSystem
internal import OCI
internal import OverlayFS

extension StageBuild {
    /// FROM. Answers the base image's ONBUILD triggers as instructions.
    func begin() throws(Failure) -> [Instruction] {
        let base = plan.bases[stage.index] ?? .scratch
        let name = plan.baseNames[stage.index] ?? stage.base
        do throws(Failure) {
            switch base {
            case .scratch:
                _ = title("FROM scratch")
                return []
            case .stage(let index):
                let below = try session.result(ofStage: index)
                // Its triggers were of its own base, and have run.
                state = below
                _ = title("FROM \(name)")
                return try triggers()
            case .context(let word):
                try take(try session.sources.image(ofContext: word, session), "FROM \(word)")
            case .image(let word):
                try take(word, "FROM \(word)")
            }
        } catch {
            if error.code == .interrupted || error.cause is LocatedFailure { throw error }
            throw located(error, at: stage.range)
        }
        return try triggers()
    }

    private func take(_ word: String, _ text: String) throws(Failure) {
        let platform = try plan.platforms[stage.index].map { (text) throws(Failure) in try Platform(text) }
        let image = try step(title(text)) { (number) throws(Failure) in
            let found = try session.sources.image(
                word, platform: platform ?? session.platform, session, step: number)
            return (found, found.isPulled ? .done : .cached)
        }
        state = image.result
        state.platform = platform ?? image.result.platform
    }

    /// ONBUILD of the base: taken out of the settings, to be done first here.
    private func triggers() throws(Failure) -> [Instruction] {
        let lines = state.settings.onBuild ?? []
        state.settings.onBuild = nil
        var instructions: [Instruction] = []
        for line in lines {
            do throws(DockerfileError) {
                var instruction = try Instruction.parse(trigger: line)
                instruction.range = stage.range
                instructions.append(instruction)
            } catch {
                throw Failure(
                    .invalidArgument, "the base image's ONBUILD trigger \"\(line)\": \(error.message)",
                    hint: error.hint)
            }
        }
        return instructions
    }
}
