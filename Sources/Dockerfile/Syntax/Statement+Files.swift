extension Statement {
    /// COPY and ADD.
    func fileInstruction(_ flags: FlagReader) throws(DockerfileError) -> FileInstruction {
        var file = try sourcesAndDestination()
        file.owner = flags.value("chown")
        file.mode = flags.value("chmod")
        file.link = try flags.boolean("link") ?? false
        file.excludes = flags.all("exclude").compactMap(\.value)
        file.from = flags.value("from")
        file.parents = try flags.boolean("parents") ?? false
        file.checksum = flags.value("checksum")
        file.keepGitDirectory = try flags.boolean("keep-git-dir") ?? false
        file.unpacks = try flags.boolean("unpack")
        return file
    }

    private func sourcesAndDestination() throws(DockerfileError) -> FileInstruction {
        if case .strings(let words) = list {
            guard words.count > 1, let destination = words.last else {
                throw tooFew(words.count, at: arguments)
            }
            return FileInstruction(sources: Array(words.dropLast()), destination: destination)
        }
        let words = arguments.words
        guard words.count > 1, let destination = words.last else { throw tooFew(words.count, at: arguments) }
        guard HeredocWord(destination) == nil else {
            throw fail(
                "\(keyword.rawValue) cannot have a heredoc as its destination", at: destination.range,
                hint: "the last word is the destination")
        }
        var file = FileInstruction(sources: [], destination: destination.text)
        var bodies = heredocs
        for word in words.dropLast() {
            guard let name = HeredocWord(word)?.name, let body = bodies.firstIndex(where: { $0.name == name })
            else {
                file.sources.append(word.text)
                continue
            }
            file.heredocs.append(bodies.remove(at: body))
        }
        return file
    }

    private func tooFew(_ count: Int, at place: Fragment) -> DockerfileError {
        fail(
            count == 0
                ? "\(keyword.rawValue) needs a source and a destination"
                : "\(keyword.rawValue) needs a source and a destination, but has one argument only",
            at: place.isEmpty ? nil : place.range)
    }
}
