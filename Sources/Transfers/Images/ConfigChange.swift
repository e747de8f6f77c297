internal import Dockerfile
internal import Failure
internal import OCI

/// `import --change`: the instructions of a Dockerfile that change an image's settings alone.
enum ConfigChange {
    /// - Throws: `invalidArgument` naming the change.
    static func apply(_ changes: [String], to settings: inout ImageConfig.Settings) throws(Failure) {
        var hasOwnCommand = false
        for change in changes {
            do throws(Failure) {
                try apply(change, to: &settings, &hasOwnCommand)
            } catch {
                throw error.within("--change \"\(change)\"")
            }
        }
    }

    private static func apply(
        _ change: String, to settings: inout ImageConfig.Settings, _ hasOwnCommand: inout Bool
    ) throws(Failure) {
        let variables = Dictionary(
            (settings.env ?? []).map { entry -> (String, String) in
                let name = entry.prefix { $0 != "=" }
                return (String(name), String(entry.dropFirst(name.count + 1)))
            }
        ) { _, last in last }
        do throws(DockerfileError) {
            let document = try DockerfileDocument.parse(
                Array("FROM scratch\n\(change)\n".utf8), name: "change")
            guard document.stages.count == 1, document.stages[0].instructions.count == 1 else {
                throw DockerfileError("it is not one instruction")
            }
            let instruction = try document.stages[0].instructions[0].expanding(
                Expansion(escape: "\\", variables: variables)
            ).instruction
            do throws(Failure) {
                try settings.apply(
                    instruction, shell: settings.shell ?? ["/bin/sh", "-c"], hasOwnCommand: &hasOwnCommand)
            } catch {
                throw DockerfileError(error.message, hint: error.hint)
            }
        } catch {
            throw Failure(
                .invalidArgument, error.message,
                hint: error.hint
                    ?? "CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR are valid changes"
            )
        }
    }
}
