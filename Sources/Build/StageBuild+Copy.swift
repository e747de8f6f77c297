internal import BuildContext
internal import Dockerfile
internal import Engine
internal import Failure
internal import LinuxSystem
internal import OCI
internal import OverlayFS

extension StageBuild {
    /// COPY and ADD: no process, one layer. `files` is expanded.
    func copy(_ files: FileInstruction, _ instruction: Instruction, isAdd: Bool) throws(Failure) {
        try session.sources.await(files.from, for: self)
        let mode = try files.mode.map { (text) throws(Failure) in try ModeChange(text) }
        let destination = absoluteDestination(files.destination)
        let material = CopyMaterial(files, isAdd: isAdd, self)
        try layer(
            instruction.text, history: instruction.historyText,
            inputs: { (number) throws(Failure) in
                var inputs = baseInputs("\(isAdd ? "ADD" : "COPY") to \(destination)")
                // What is copied into an empty layer is the same on whatever it stands.
                if files.link { inputs.replace("parent", "") }
                inputs.add("owner", files.owner ?? "")
                inputs.add("mode", files.mode ?? "")
                inputs.add(
                    "flags",
                    "link=\(files.link) parents=\(files.parents) unpack=\(files.unpacks.map(String.init(describing:)) ?? "-") git=\(files.keepGitDirectory)"
                )
                for (name, value) in try material.keys(number) { inputs.add(name, value) }
                return inputs
            },
            make: { (number) throws(Failure) in
                let layer = try StepLayer(on: files.link ? LayerChain() : state.chain, session)
                do {
                    let root = try layer.mount()
                    var options = CopyOptions()
                    options.mode = mode
                    options.modified = session.epoch
                    if let owner = files.owner {
                        (options.uid, options.gid) = try self.owner(owner, layerRoot: root.descriptor, files)
                    }
                    try material.copy(
                        into: root.descriptor.raw, destination: destination, options, number)
                }
                return try layer.finish()
            })
    }

    private func owner(
        _ text: String, layerRoot: borrowing FileDescriptor, _ files: FileInstruction
    ) throws(Failure) -> (uid: UInt32, gid: UInt32) {
        do throws(Failure) {
            guard files.link, !state.chain.layers.isEmpty else {
                return try session.engine.owner(text, in: layerRoot)
            }
            // Names are looked up in what the layer will stand on.
            let below = try OverlayMount.make(
                layers: state.chain.roots.map(\.raw), scratch: "\(session.engine.runPath)/mounts")
            return try session.engine.owner(text, in: below.descriptor)
        } catch {
            throw error.within("--chown=\(text)")
        }
    }

    /// From the working directory; a slash at the end stays.
    private func absoluteDestination(_ path: String) -> String {
        let whole = absolute(path)
        let isDirectory = path.hasSuffix("/") || path.hasSuffix("/.") || path == "."
        return isDirectory && whole != "/" ? whole + "/" : whole
    }
}

/// What one COPY or ADD brings: files of a tree, heredocs, downloads.
final class CopyMaterial {
    private let files: FileInstruction
    private let isAdd: Bool
    private let stage: StageBuild
    /// What the key was made of.
    private var selection: FileSelection?

    init(_ files: FileInstruction, isAdd: Bool, _ stage: StageBuild) {
        self.files = files
        self.isAdd = isAdd
        self.stage = stage
    }

    private var local: [String] { files.sources.filter { !isAdd || !RemoteSource.isRemote($0) } }
    private var remote: [String] { files.sources.filter { isAdd && RemoteSource.isRemote($0) } }

    private func tree(_ step: Int) throws(Failure) -> SourceTree {
        try stage.session.sources.tree(files.from, for: stage, step: step)
    }

    private func selected(_ step: Int) throws(Failure) -> FileSelection {
        if let selection { return selection }
        return try tree(step).tree.select(
            sources: local, excludes: files.excludes, parents: files.parents)
    }

    /// The inputs' names for people, with the digests of what they hold.
    func keys(_ step: Int) throws(Failure) -> [(String, String)] {
        var keys: [(String, String)] = []
        if !local.isEmpty {
            let from = files.from.map { " of \($0)" } ?? ""
            let found = try tree(step).digest(
                of: local, excludes: files.excludes, parents: files.parents, stage.session)
            let name = "files \(local.joined(separator: " "))\(from)"
            keys.append((name, found.key))
            if let made = found.made {
                selection = made.selection
                stage.session.keep(made.manifest, of: found.key)
            }
        }
        for heredoc in files.heredocs { keys.append(("heredoc \(heredoc.name)", heredoc.content)) }
        for address in remote {
            keys.append((address, try RemoteSource.key(address, files, stage.session, step: step)))
        }
        return keys
    }

    func copy(
        into root: Int32, destination: String, _ options: CopyOptions, _ step: Int
    ) throws(Failure) {
        if !local.isEmpty {
            var options = options
            options.unpacksArchives = isAdd && files.unpacks != false
            let selection = try selected(step)
            for pattern in selection.emptyWildcards {
                stage.session.progress.told(step, "nothing matches \(pattern)")
            }
            try selection.copy(into: root, destination: destination, options)
        }
        for heredoc in files.heredocs {
            try HeredocFile.write(
                named: heredoc.name, content: Array(heredoc.content.utf8), into: root,
                destination: destination, options)
        }
        for address in remote {
            try RemoteSource.add(
                address, files, into: root, destination: destination, options, stage.session, step: step)
        }
    }
}
